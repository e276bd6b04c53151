// Threads with the smallest possible stack go through every slow path, with log
// lines, stack traces and events on.
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

// Misses in every class: 200 blocks exceed any initial bin.
bool MissEveryClass() {
  for (size_t size = 8; size <= 40 * kKiB; size += size / 8 + 8) {
    BlockChain blocks;
    for (int i = 0; i < 200; ++i) {
      void* block = malloc(size);
      if (block == nullptr) return false;
      blocks.Push(block);
    }
    while (void* block = blocks.Pop()) free(block);
  }
  return true;
}

// Spans and large blocks, aligned, zeroed, grown, shrunk, moved.
bool ResizeEveryKind() {
  for (size_t size = 1; size < 32 * kMiB; size = size * 2 + 3) {
    auto* block = static_cast<char*>(calloc(1, size));
    if (block == nullptr || block[size - 1] != 0) return false;
    block[0] = 1;
    for (const size_t to : {size * 3, size * 3 + 100000, size / 2 + 1}) {
      block = static_cast<char*>(realloc(block, to));
      if (block == nullptr || block[0] != 1) return false;
    }
    if (malloc_usable_size(block) < size / 2 + 1) return false;
    free(block);
    for (const size_t alignment : {64u, 4096u, 1u << 16, 1u << 22}) {
      void* aligned = memalign(alignment, size);
      if (!IsAligned(aligned, alignment)) return false;
      free(aligned);
    }
  }
  return true;
}

// Failures of each possible cause, explained and printed.
bool FailEveryWay() {
  char text[256];
  for (const size_t size : {~size_t{0}, size_t{1} << 62, size_t{1} << 50}) {
    if (malloc(Opaque(size)) != nullptr) return false;
    hakmem_failure_t failure;
    if (Hakmem().last_failure(&failure, sizeof(failure)) != HasTracing()) {
      return false;
    }
    Hakmem().failure_text(&failure, text, sizeof(text));
  }
  void* block = malloc(100);
  if (realloc(block, Opaque(size_t{1} << 50)) != nullptr) return false;
  free(block);
  return calloc(Opaque(size_t{1} << 40), Opaque(size_t{1} << 40)) == nullptr;
}

bool LookAtEverything() {
  char text[64];
  Stats();
  Hakmem().stats_json(text, sizeof(text));
  Hakmem().events([](const hakmem_event_t*, void*) {}, nullptr);
  Hakmem().failures([](const hakmem_failure_t*, void*) {}, nullptr);
  malloc_trim(0);
  Hakmem().collect();
  return HeapProblems() == 0;
}

// A key destructor: uses the allocator while the thread ends.
void FreeLate(void* block) {
  free(block);
  free(malloc(1000));
  free(malloc(20 * kKiB));
  free(malloc(3 * kMiB));
}

constinit pthread_key_t late_key = 0;

void* DoEverything(void* wrong) {
  pthread_setspecific(late_key, malloc(100));
  const char* failed = !MissEveryClass()     ? "misses"
                       : !ResizeEveryKind()  ? "resizing"
                       : !FailEveryWay()     ? "failures"
                       : !LookAtEverything() ? "looking"
                                             : nullptr;
  *static_cast<const char**>(wrong) = failed;
  return nullptr;
}

int RunOnSmallStacks() {
  pthread_key_create(&late_key, FreeLate);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  const auto least = static_cast<size_t>(sysconf(_SC_THREAD_STACK_MIN));
  if (pthread_attr_setstacksize(&attributes, least) != 0) return 2;
  for (int round = 0; round < 4; ++round) {
    if (round == 2) Hakmem().events_start();
    pthread_t thread;
    const char* wrong = "nothing was run";
    if (pthread_create(&thread, &attributes, DoEverything, &wrong) != 0) {
      return 3;
    }
    pthread_join(thread, nullptr);
    if (wrong != nullptr) {
      fprintf(stderr, "%s went wrong\n", wrong);
      return 1;
    }
  }
  return 0;
}
const ChildProgram run_on_small_stacks("run_on_small_stacks", RunOnSmallStacks);

TEST(SmallStackTest, IsEnoughForEverything) {
  const ChildResult child = RunChildProgram(
      "run_on_small_stacks",
      {{"HAKMEM_ACE_TRACE", "1"}, {"HAKMEM_ACE_TRACE_STACK", "1"}});
  EXPECT_EQ(child.exit_code, 0) << child.signal << child.err;
  // Traces were printed: the failing function is in this file.
  EXPECT_EQ(child.err.find("  #") != std::string::npos, HasTracing())
      << child.err;
}

TEST(SmallStackTest, IsEnoughWithDecayAtOnce) {
  const ChildResult child =
      RunChildProgram("run_on_small_stacks",
                      {{"HAKMEM_DECAY", "0"}, {"HAKMEM_HUGE_PAGES", "2"}});
  EXPECT_EQ(child.exit_code, 0) << child.signal << child.err;
}

}  // namespace
}  // namespace hakmem_test
