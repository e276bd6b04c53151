// Blocks that one thread frees and another allocated, from inside: what passes
// over the shelves, and which cache lines threads share.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "base/build_config.h"
#include "base/size_classes.h"
#include "frontend/dispatch/allocator.h"
#include "frontend/dispatch/dispatch_test_helper.h"
#include "frontend/thread_cache/shelves.h"
#include "frontend/thread_cache/thread_cache.h"
#include "frontend/verify/heap_check.h"
#include "gtest/gtest.h"
#include "hardening/levels.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tracing/counters/counters.h"

namespace hakmem {
namespace {

using hakmem_test::Fill;
using hakmem_test::Holds;

TEST(HandOverTest, BatchesPassFromThreadToThread) {
  CollectAll();
  const uint64_t drained = CountOf(Event::kDrainedBlock);
  const uint64_t refilled = CountOf(Event::kRefilledBlock);
  PassInOneDirection();
  if constexpr (kShufflesBlocks) {
    EXPECT_EQ(Shelves::Bytes(), 0u);
  } else if constexpr (kTracing && kAceMode == AceMode::kAdaptive) {
    EXPECT_LT((CountOf(Event::kDrainedBlock) - drained) * 2,
              CountOf(Event::kRefilledBlock) - refilled);
  }
}

// What lies on a shelf is found by whoever looks for free memory.
TEST(HandOverTest, BlocksOnShelvesAreCountedVerifiedAndCollected) {
  if (kShufflesBlocks || kAceMode != AceMode::kAdaptive) GTEST_SKIP();
  CollectAll();
  for (int i = 0; i < 10 && Shelves::Bytes() == 0; ++i) PassInOneDirection();
  const size_t on_shelves = Shelves::Bytes();
  EXPECT_GT(on_shelves, 0u);
  EXPECT_GE(ThreadCache::SumAll().tiny_cached, on_shelves);
  uint64_t blocks[kClassCount] = {};
  ThreadCache::AddCachedBlocks(blocks);
  size_t in_classes = 0;
  for (size_t c = 1; c < kTinyClassCount; ++c) {
    in_classes += blocks[c] * ClassBytes(SizeClass{static_cast<uint8_t>(c)});
  }
  EXPECT_EQ(in_classes, ThreadCache::SumAll().tiny_cached);
  EXPECT_EQ(CheckHeap(), 0);
  // A child of a fork has them too.
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const bool has_them = Shelves::Bytes() == on_shelves;
    CollectAll();
    _exit(has_them && Shelves::Bytes() == 0 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  CollectAll();
  EXPECT_EQ(Shelves::Bytes(), 0u);
  EXPECT_EQ(CheckHeap(), 0);
}

// A thread that frees small blocks of another one is not served from their
// cache lines.
TEST(HandOverTest, SmallBlocksShareNoLineWithThoseOfAnotherThread) {
  constexpr uintptr_t kLine = 64;
  for (const size_t bytes : {16, 32, 48}) {
    std::vector<void*> blocks(64);
    for (void*& block : blocks) block = Malloc(bytes);
    void* own[2] = {};
    std::thread other([&] {
      // It has a cache.
      for (size_t size = 100; size < 1500; size += 40) Free(Malloc(size));
      for (size_t i = 0; i < 16; i += 2) Free(blocks[i]);
      own[0] = Malloc(bytes);
      own[1] = Calloc(bytes);
    });
    other.join();
    for (void* block : own) {
      const auto first = reinterpret_cast<uintptr_t>(block) / kLine;
      const auto last =
          (reinterpret_cast<uintptr_t>(block) + bytes - 1) / kLine;
      for (size_t i = 1; i < blocks.size(); i += i < 16 ? 2 : 1) {
        const auto address = reinterpret_cast<uintptr_t>(blocks[i]);
        EXPECT_TRUE((address + bytes - 1) / kLine < first ||
                    address / kLine > last)
            << bytes;
      }
    }
    for (size_t i = 1; i < blocks.size(); i += i < 16 ? 2 : 1) Free(blocks[i]);
    for (void* block : own) Free(block);
  }
}

}  // namespace
}  // namespace hakmem
