// The metadata of freed segments is returned to the OS even if other threads
// exist, and are still delivering remote frees of their pages.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "backend/segment/segment.h"
#include "backend/segment/segment_heap.h"
#include "backend/slabs/slab_source.h"
#include "base/os/clock.h"
#include "base/size_classes.h"
#include "base/text/options.h"

namespace hakmem {
namespace {

using Metadata = SlabChunk<SegmentSlab>;

constexpr SizeClass kClass = ClassOf(kMaxTinyBytes);  // 32 blocks a page
constexpr size_t kSegmentBlocks = kSlabsPerChunk * 32;
constexpr uint32_t kBatch = 32;

void Allocate(SegmentBackend::Heap* heap, std::vector<void*>* blocks) {
  for (size_t i = 0; i < blocks->size();) {
    // Less, where pages are being purged.
    const auto count =
        static_cast<uint32_t>(std::min<size_t>(kBatch, blocks->size() - i));
    const uint32_t taken =
        SegmentBackend::Refill(heap, kClass, blocks->data() + i, count);
    ASSERT_NE(taken, 0u);
    i += taken;
  }
}

// Frees every other batch of blocks, starting with the first or second.
void FreeHalf(SegmentBackend::Heap* heap, const std::vector<void*>& blocks,
              size_t first) {
  for (size_t i = first * kBatch / 2; i < blocks.size(); i += kBatch) {
    void* batch[kBatch / 2];  // overwritten by Drain
    std::copy_n(&blocks[i], kBatch / 2, batch);
    SegmentBackend::Drain(heap, kClass, batch, kBatch / 2);
  }
}

std::set<const Metadata*> MetadataOf(const std::vector<void*>& blocks) {
  std::set<const Metadata*> metadata;
  for (const void* block : blocks) {
    metadata.insert(
        FindSlabChunk<SegmentSlab>(reinterpret_cast<uintptr_t>(block)));
  }
  return metadata;
}

size_t ResidentPages(const std::set<const Metadata*>& all) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_t resident = 0;
  for (const Metadata* metadata : all) {
    std::vector<unsigned char> pages((sizeof(Metadata) + page - 1) / page);
    EXPECT_EQ(mincore(const_cast<Metadata*>(metadata), sizeof(Metadata),
                      pages.data()),
              0);
    for (const unsigned char p : pages) resident += p & 1;
  }
  return resident;
}

// A heap of many segments is emptied, half of it by another thread.
class SegmentsMetadata : public testing::Test {
 protected:
  static constexpr size_t kSegments = 64;
  // Pages of metadata: those of a few segments.
  static constexpr size_t kMaxLeft = 5 * 10;

  void SetUp() override {
    if (sysconf(_SC_PAGESIZE) > 4096) GTEST_SKIP() << "metadata of few pages";
    Allocate(heap_, &blocks_);
    metadata_ = MetadataOf(blocks_);
    ASSERT_GE(metadata_.size(), kSegments);
    resident_in_use_ = ResidentPages(metadata_);
    ASSERT_GE(resident_in_use_, 8 * kSegments);
  }

  // Calls `look` when all blocks are freed, while the other thread still lives.
  template <typename Look>
  void Free(const Look& look) {
    std::barrier sync(2);
    std::thread other([&] {
      SegmentBackend::Heap* heap = SegmentBackend::Attach();
      FreeHalf(heap, blocks_, 1);
      sync.arrive_and_wait();
      sync.arrive_and_wait();
      SegmentBackend::Detach(heap);
    });
    FreeHalf(heap_, blocks_, 0);
    sync.arrive_and_wait();
    look();
    sync.arrive_and_wait();
    other.join();
    EXPECT_EQ(SegmentBackend::Totals().block_bytes, 0u);
    SegmentBackend::Detach(heap_);
  }

  SegmentBackend::Heap* const heap_ = SegmentBackend::Attach();
  std::vector<void*> blocks_ = std::vector<void*>(kSegments * kSegmentBlocks);
  std::set<const Metadata*> metadata_;
  size_t resident_in_use_ = 0;
};

TEST_F(SegmentsMetadata, GoBackWhenAllIsCollected) {
  Free([&] {
    SegmentBackend::Collect(CoarseMilliseconds(), /*force=*/true);
    EXPECT_LE(ResidentPages(metadata_), kMaxLeft);
  });
}

TEST_F(SegmentsMetadata, StayForTheDecayTime) {
  const uint64_t decay = options::Get(options::k_decay);
  ASSERT_GT(decay, 1u);
  const uint64_t begin = CoarseMilliseconds();
  Free([&] {
    SegmentBackend::Collect(begin + decay - 1, /*force=*/false);
    EXPECT_EQ(ResidentPages(metadata_), resident_in_use_);
    // The spare page of a class is returned at the second call.
    const uint64_t end = CoarseMilliseconds() + decay;
    SegmentBackend::Collect(end, /*force=*/false);
    SegmentBackend::Collect(end + decay, /*force=*/false);
    EXPECT_LE(ResidentPages(metadata_), kMaxLeft);
  });
}

// Each thread's segments are emptied by the thread and its neighbour at the
// same time, while another thread collects and purges. segment_model_test tries
// the interleavings of this; here the kernel purges, and TSan watches.
TEST(SegmentsMetadataRace, NothingIsLostWhileMetadataIsPurged) {
  constexpr int kThreads = 3;
  constexpr int kRounds = 500;
  std::vector<void*> blocks[kThreads];
  std::barrier sync(kThreads);
  std::atomic<bool> is_over = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      SegmentBackend::Heap* heap = SegmentBackend::Attach();
      blocks[t].resize(3 * kSegmentBlocks);
      for (int round = 0; round < kRounds; ++round) {
        Allocate(heap, &blocks[t]);
        sync.arrive_and_wait();
        FreeHalf(heap, blocks[(t + 1) % kThreads], 1);
        FreeHalf(heap, blocks[t], 0);
        sync.arrive_and_wait();
      }
      SegmentBackend::Detach(heap);
    });
  }
  std::thread collector([&] {
    while (!is_over.load()) {
      SegmentBackend::Collect(CoarseMilliseconds(), /*force=*/true);
      std::this_thread::yield();
    }
  });
  for (std::thread& thread : threads) thread.join();
  is_over.store(true);
  collector.join();
  SegmentBackend::Collect(CoarseMilliseconds(), /*force=*/true);
  EXPECT_EQ(SegmentBackend::Totals().block_bytes, 0u);
}

}  // namespace
}  // namespace hakmem
