// Threads of a second C library in the process (an LD_AUDIT tool, a plugin
// opened by dlmopen) allocate concurrently with the program's thread, which its
// own C library reports as the only one.
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

extern "C" __attribute__((weak)) char __libc_single_threaded;

namespace hakmem_test {
namespace {

std::atomic<void*> exchange[512];
std::atomic<long> bad{0};
std::atomic<int> at_work{0};

// Each block contains its size and a mark at both ends. Blocks are freed by
// other threads than the allocating one.
void Work(long number) {
  ++at_work;
  std::mt19937_64 random(static_cast<uint64_t>(number));
  for (int i = 0; i < 150'000; ++i) {
    const size_t size = random() % 50 != 0 ? 32 + random() % 3000 / 16 * 16
                                           : 20'000 + random() % 300'000;
    auto* words = static_cast<uint64_t*>(malloc(size));
    const size_t last = size / 8 - 1;
    words[1] = last;
    words[0] = words[last] = random();
    auto* other = static_cast<uint64_t*>(
        exchange[random() % std::size(exchange)].exchange(words));
    if (other == nullptr) continue;
    if (other[0] != other[other[1]]) ++bad;
    free(other);
  }
}

struct SecondLibrary {
  SecondLibrary() {
    char path[4096];
    const char* given = getenv("HAKMEM_TEST_SECOND_LIBC");
    if (given == nullptr || realpath(given, path) == nullptr) return;
    void* handle = dlmopen(LM_ID_NEWLM, path, RTLD_NOW);
    if (handle == nullptr) {
      fprintf(stderr, "%s\n", dlerror());
      return;
    }
    start = reinterpret_cast<int (*)(void (*)(long))>(
        dlsym(handle, "StartThreads"));
    join = reinterpret_cast<void (*)()>(dlsym(handle, "JoinThreads"));
  }
  int (*start)(void (*)(long)) = nullptr;
  void (*join)() = nullptr;
};

// Returns 0 on success.
int Share() {
  const SecondLibrary library;
  if (library.start == nullptr || library.join == nullptr) return 2;
  for (int round = 0; round < 3; ++round) {
    // Starts with blocks allocated while it was alone.
    for (std::atomic<void*>& place : exchange) {
      auto* words = static_cast<uint64_t*>(malloc(64));
      words[0] = words[7] = 5;
      words[1] = 7;
      free(place.exchange(words));
    }
    if (library.start(Work) != 0) return 3;
    // The precondition: the program's C library knows of no other thread.
    if (&__libc_single_threaded != nullptr && __libc_single_threaded != 1) {
      return 4;
    }
    Work(0);
    library.join();
    if (bad != 0) return 5;
  }
  for (std::atomic<void*>& place : exchange) free(place.exchange(nullptr));
  return Hakmem().check_heap() == 0 ? 0 : 6;
}
const ChildProgram share("share", Share);

// The threads start while the program's own is already allocating.
int Join() {
  const SecondLibrary library;
  if (library.start == nullptr || library.join == nullptr) return 2;
  if (library.start(Work) != 0) return 3;
  Work(0);
  library.join();
  return bad == 0 && Hakmem().check_heap() == 0 ? 0 : 5;
}
const ChildProgram join("join", Join);

void ExpectGood(const ChildResult& child) {
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.signal, 0);
  EXPECT_EQ(child.err, "");
}

TEST(SecondLibcTest, ItsThreadsAllocateBesideTheProgram) {
  ExpectGood(RunChildProgram("share"));
}

TEST(SecondLibcTest, TheyMayComeAtAnyTime) {
  for (int i = 0; i < 10; ++i) ExpectGood(RunChildProgram("join"));
}

// A child has one thread again, whatever its parent had.
TEST(SecondLibcTest, InAForkedChild) {
  ExpectGood(RunForked([] { EXPECT_EQ(Share(), 0); }));
}

TEST(SecondLibcTest, SamplingTheirBlocks) {
  ExpectGood(RunChildProgram("share", {{"HAKMEM_GUARD_SAMPLE", "100"}}));
}

}  // namespace
}  // namespace hakmem_test
