// A program or a tool interposes libc's mmap, madvise, clock_gettime and others
// and allocates in each. The allocator calls none of them where that would
// recurse: it calls the kernel directly.
#include <dlfcn.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

uint64_t InterposedCalls() {
  const auto calls =
      reinterpret_cast<uint64_t (*)()>(dlsym(RTLD_DEFAULT, "InterposedCalls"));
  if (calls == nullptr) {
    fputs("there is no interposer\n", stderr);
    exit(2);
  }
  return calls();
}

// Allocates, resizes and frees blocks of every kind.
void Work(uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::pair<void*, size_t>> blocks(200);
  for (int i = 0; i < 20'000; ++i) {
    auto& [block, size] = blocks[random() % blocks.size()];
    if (block != nullptr && random() % 4 != 0) {
      free(block);
      block = nullptr;
      continue;
    }
    size = 1 + AnySize(random);
    block = realloc(block, size);
    if (block == nullptr) abort();
    static_cast<char*>(block)[size - 1] = 1;
  }
  for (auto& [block, size] : blocks) free(block);
  for (size_t size = 3 * kMiB; size < 100 * kMiB; size += 7 * kMiB) {
    blocks[0].first =
        realloc(size == 3 * kMiB ? nullptr : blocks[0].first, size);
  }
  free(blocks[0].first);
}

// Returns 0 if the allocator called no interposed function meanwhile.
int WorksByItself() {
  free(malloc(1));
  const uint64_t before = InterposedCalls();
  Work(1);
  malloc_trim(0);
  Hakmem().collect();
  Stats();
  const uint64_t alone = InterposedCalls() - before;
  std::vector<std::thread> threads;
  for (uint64_t seed = 2; seed < 6; ++seed) threads.emplace_back(Work, seed);
  for (std::thread& thread : threads) thread.join();
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // alarms are not inherited
    Work(7);
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  if (status != 0) return 3;
  if (alone != 0) {
    fprintf(stderr, "%lu interposed calls\n",
            static_cast<unsigned long>(alone));
  }
  return alone == 0 ? 0 : 1;
}
const ChildProgram works_by_itself("works_by_itself", WorksByItself);

// Resident memory falls even though the program's clock stands still.
int GoesByRealTime() {
  timespec first;
  clock_gettime(CLOCK_MONOTONIC, &first);
  std::vector<void*> blocks;
  for (int i = 0; i < 3000; ++i) {
    blocks.push_back(malloc(20 * kKiB));
    memset(blocks.back(), 1, 20 * kKiB);
  }
  const size_t peak = ResidentBytes();
  for (void* block : blocks) free(block);
  size_t now = peak;
  for (int i = 0; i < 200 && now > peak / 3; ++i) {
    usleep(10'000);
    for (int k = 0; k < 50; ++k) free(malloc(300 * kKiB));
    now = ResidentBytes();
  }
  timespec last;
  clock_gettime(CLOCK_MONOTONIC, &last);
  if (first.tv_sec != last.tv_sec) return 3;
  if (now > peak / 3) {
    fprintf(stderr, "%zu bytes of %zu are resident\n", now, peak);
  }
  return now <= peak / 3 ? 0 : 1;
}
const ChildProgram goes_by_real_time("goes_by_real_time", GoesByRealTime);

ChildResult RunInterposed(
    const std::string& name,
    std::vector<std::pair<std::string, std::string>> variables = {}) {
  char path[4096];
  const char* given = getenv("HAKMEM_TEST_INTERPOSER");
  if (given == nullptr || realpath(given, path) == nullptr) {
    ADD_FAILURE() << "HAKMEM_TEST_INTERPOSER names no file";
    return {};
  }
  variables.emplace_back("LD_PRELOAD", std::string(path) + ":" + LibraryPath());
  return RunChildProgram(name, variables);
}

void ExpectGood(const ChildResult& child) {
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.signal, 0);
  EXPECT_EQ(child.err, "");
}

TEST(InterposedCallsTest, TheAllocatorCallsNoneOfThem) {
  ExpectGood(RunInterposed("works_by_itself"));
}

TEST(InterposedCallsTest, NorWhileItSamplesAndRecords) {
  ExpectGood(RunInterposed("works_by_itself", {{"HAKMEM_GUARD_SAMPLE", "50"}}));
}

TEST(InterposedCallsTest, MemoryGoesBackByRealTime) {
  ExpectGood(RunInterposed("goes_by_real_time"));
}

}  // namespace
}  // namespace hakmem_test
