// A strict commit limit, as with vm.overcommit_memory=2: all writable memory
// counts, touched or not, and the system refuses more. That mode would affect
// the whole machine, so the kernel only counts as in that mode, and the refusal
// is simulated (base/os/calls/injected).
//
// Also: mappings above some size are refused, as where address space is short
// or fragmented.
#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/fault_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kRoom = 96 * kMiB;
constexpr size_t kSizes[] = {64, 1000, 3 * kKiB, 20 * kKiB, 3 * kMiB};

// The environment that makes the kernel count a program's mappings.
const std::vector<std::pair<std::string, std::string>> kCounted = {
    {"HAKMEM_TEST_COMMIT_BYTES", std::to_string(size_t{1} << 40)}};

// Prints on stderr what failed.
bool Expect(bool is_right, const char* what, size_t size, size_t bytes) {
  if (!is_right) fprintf(stderr, "%s: %zu, %zu bytes\n", what, size, bytes);
  return is_right;
}

// Expects that the newest failure is a refusal by the system.
bool ExpectMapFail() {
  hakmem_failure_t failure = {};
  const bool is_right = Hakmem().last_failure(&failure, sizeof(failure)) == 1 &&
                        failure.cause == HAKMEM_CAUSE_MAPFAIL &&
                        failure.error == ENOMEM;
  return Expect(is_right, "not MapFail", failure.size, failure.os_bytes);
}

// Returns the usable bytes of the blocks, which may exceed what was requested.
size_t FillUp(size_t size, BlockChain* blocks) {
  size_t bytes = 0;
  while (void* block = malloc(size)) {
    bytes += malloc_usable_size(block);
    blocks->Push(block);
  }
  return bytes;
}

void FreeAll(BlockChain* blocks) {
  while (void* block = blocks->Pop()) free(block);
}

// Fills the commit limit with blocks of each size in turn.
int FillByEachSize() {
  Faults().limit_commit(Faults().committed_bytes() + kRoom);
  bool is_right = true;
  BlockChain blocks;
  for (int round = 0; round < 2; ++round) {
    for (const size_t size : kSizes) {
      errno = 0;
      const size_t filled = FillUp(size, &blocks);
      is_right &= Expect(errno == ENOMEM, "not ENOMEM", size, filled);
      is_right &= Expect(filled >= kRoom / 8 * 7 && filled <= kRoom, "filled",
                         size, filled);
      FreeAll(&blocks);
      void* half = malloc(kRoom / 2);
      is_right &= Expect(half != nullptr, "no half after", size, kRoom / 2);
      free(half);
    }
  }
  is_right &= ExpectMapFail();
  is_right &= Expect(Hakmem().check_heap() == 0, "metadata", 0, 0);
  return is_right ? 0 : 1;
}
const ChildProgram fill_by_each_size("fill_by_each_size", FillByEachSize);

// 32 MiB live in four threads may take this much more: a quarter, what each
// thread has begun and keeps of each size (most with --//ace=fixed), and the
// allocator's metadata.
constexpr size_t kLive = 32 * kMiB;
constexpr size_t kMostBytes = 128 * kKiB;
constexpr size_t kThreads = 4;
constexpr size_t kMargin = 32 * kMiB;

// Allocates and frees blocks and checks their contents. False if one is
// refused.
bool Work(uint64_t seed) {
  std::mt19937_64 random(seed);
  struct Held {
    void* address;
    size_t size;
  };
  std::vector<Held> held;
  size_t live = 0;
  bool is_right = true;
  for (int step = 0; step < 20'000 && is_right; ++step) {
    const size_t size = 16 + AnySize(random) % kMostBytes;
    while (live + size > kLive / kThreads) {
      std::swap(held[random() % held.size()], held.back());
      is_right &= Holds(held.back().address, held.back().size, seed);
      free(held.back().address);
      live -= held.back().size;
      held.pop_back();
    }
    void* block = malloc(size);
    if (block == nullptr) return false;
    Fill(block, size, seed);
    held.push_back({block, size});
    live += size;
  }
  for (const Held& block : held) free(block.address);
  return is_right;
}

int WorkWithLittleRoom() {
  std::atomic<bool> go = false;
  std::atomic<size_t> right = 0;
  std::vector<std::thread> threads;
  for (size_t seed = 0; seed < kThreads; ++seed) {
    threads.emplace_back([&go, &right, seed] {
      while (!go) std::this_thread::yield();
      right += Work(seed);
    });
  }
  // Threads' stacks count, too.
  Faults().limit_commit(Faults().committed_bytes() + kLive / 4 * 5 + kMargin);
  go = true;
  for (std::thread& thread : threads) thread.join();
  return Expect(right == kThreads, "threads were refused", kThreads - right, 0)
             ? 0
             : 1;
}
const ChildProgram work_with_little_room("work_with_little_room",
                                         WorkWithLittleRoom);

TEST(CommitLimitTest, ReachedReportedAndOutlivedByEverySize) {
  const ChildResult child = RunChildProgram("fill_by_each_size", kCounted);
  EXPECT_EQ(child.exit_code, 0) << child.err;
  EXPECT_EQ(child.signal, 0);
  EXPECT_EQ(child.err, "");
}

// After a refusal the program still gets small blocks, whatever has filled the
// limit.
int AskForSmallOnesAfterARefusal() {
  Faults().limit_commit(Faults().committed_bytes() + kRoom);
  bool is_right = true;
  for (const size_t size : {3 * kKiB, 20 * kKiB, 100 * kKiB, 3 * kMiB}) {
    BlockChain blocks;
    const size_t filled = FillUp(size, &blocks);
    for (const size_t small : {24, 100, 500, 1024, 4096}) {
      void* block = malloc(small);
      is_right &= Expect(block != nullptr, "no small one", small, filled);
      free(block);
    }
    FreeAll(&blocks);
  }
  return is_right ? 0 : 1;
}
const ChildProgram ask_for_small_ones("ask_for_small_ones",
                                      AskForSmallOnesAfterARefusal);

TEST(CommitLimitTest, SmallOnesAreServedAfterARefusal) {
  const ChildResult child = RunChildProgram("ask_for_small_ones", kCounted);
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

// A fork is charged for the process again: little may be left of a freed peak.
int GiveBackAPeak() {
  constexpr size_t kPeak = 192 * kMiB;
  bool is_right = true;
  for (const size_t size : kSizes) {
    const size_t before = Faults().committed_bytes();
    BlockChain blocks;
    while (blocks.count() * size < kPeak) blocks.Push(malloc(size));
    is_right &= Expect(Faults().committed_bytes() >= before + kPeak / 2,
                       "no peak", size, Faults().committed_bytes() - before);
    FreeAll(&blocks);
    // By decay, in a program that keeps running.
    for (int i = 0; i < 150; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      for (const size_t other : kSizes) free(malloc(other));
    }
    const size_t left = Faults().committed_bytes() - before;
    is_right &= Expect(left <= kPeak / 6, "left", size, left);
  }
  is_right &= Expect(Hakmem().check_heap() == 0, "metadata", 0, 0);
  return is_right ? 0 : 1;
}
const ChildProgram give_back_a_peak("give_back_a_peak", GiveBackAPeak);

TEST(CommitLimitTest, AFreedPeakIsNoLongerCharged) {
  const ChildResult child = RunChildProgram("give_back_a_peak", kCounted);
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

TEST(CommitLimitTest, AProgramWorksWithLittleMoreThanItNeeds) {
  const ChildResult child = RunChildProgram("work_with_little_room", kCounted);
  EXPECT_EQ(child.exit_code, 0) << child.err;
  EXPECT_EQ(child.signal, 0);
}

// Limited from the first call on, so all reservations are this small.
TEST(RefusedMapsTest, AProgramBeginsAndWorksWithSmallMappings) {
  for (const size_t most : {4 * kMiB, 2 * kMiB}) {
    const ChildResult child =
        RunChildProgram("work_with_small_maps",
                        {{"HAKMEM_TEST_MOST_MAP_BYTES", std::to_string(most)}});
    EXPECT_EQ(child.exit_code, 0) << most << child.err;
    EXPECT_EQ(child.signal, 0);
  }
}

int WorkWithSmallMaps() {
  bool is_right = Work(1);
  // A request that can never be served fails with the name of the cause.
  errno = 0;
  void* large = malloc(8 * kMiB);
  is_right &= Expect(large == nullptr && errno == ENOMEM, "served", 8, 0);
  is_right &= ExpectMapFail();
  is_right &= Expect(Hakmem().check_heap() == 0, "metadata", 0, 0);
  return is_right ? 0 : 1;
}
const ChildProgram work_with_small_maps("work_with_small_maps",
                                        WorkWithSmallMaps);

}  // namespace
}  // namespace hakmem_test
