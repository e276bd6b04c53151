#include "ace/ace.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "ace/blocks_test_helper.h"
#include "ace/limit.h"
#include "backend/memory/pagemap.h"
#include "base/text/options.h"
#include "tracing/failures/failure_note.h"

namespace hakmem {
namespace {

constexpr size_t kKiB = 1024;
constexpr size_t kMiB = size_t{1} << 20;
constexpr auto kAny = Ace::Contents::kAny;

char* At(uintptr_t address) { return reinterpret_cast<char*>(address); }

std::unique_ptr<ThreadSpanCache> NewBins() {
  auto bins = std::make_unique<ThreadSpanCache>();
  bins->Begin();
  return bins;
}

// Bytes used by a request.
size_t RoundedUp(size_t bytes) {
  const SizeClass c = Ace::ClassFor(bytes, kBlockAlignment);
  if (c != SizeClass::kNone) return ClassBytes(c);
  const SpanAllocation span = AllocateBlock(bytes, 16, kAny, nullptr);
  const size_t usable = BlockBytesAt(span.address);
  FreeBlock(span.address, nullptr);
  return usable;
}

TEST(Ace, RoundsNoRequestUpByMoreThanAnEighthOrToTheNextPage) {
  for (size_t bytes = kMaxTinyBytes + 1; bytes <= kMaxSpanBytes;
       bytes += bytes / 67) {
    const size_t rounded = RoundedUp(bytes);
    ASSERT_GE(rounded, bytes);
    if (kAceMode == AceMode::kOff) {
      ASSERT_LT(rounded - bytes, kPageBytes) << bytes;
    } else {
      ASSERT_LE((rounded - bytes) * 8, bytes) << bytes;
    }
  }
}

TEST(Ace, ALengthAskedForCostsItsOwnPages) {
  if (kAceMode == AceMode::kFixed) GTEST_SKIP() << "base classes only";
  EXPECT_EQ(RoundedUp(33 * kKiB), 36 * kKiB);
  EXPECT_EQ(RoundedUp(100 * kKiB), 100 * kKiB);
  EXPECT_EQ(RoundedUp(129 * kKiB), 132 * kKiB);
}

TEST(Ace, WastesLessThan8PercentOfLogUniformSizes) {
  double asked = 0;
  double cost = 0;
  for (double exponent = std::log(2049.0); exponent < std::log(262144.0);
       exponent += 0.001) {
    const auto bytes = static_cast<size_t>(std::exp(exponent));
    asked += static_cast<double>(bytes);
    cost += static_cast<double>(RoundedUp(bytes));
  }
  EXPECT_LT(cost / asked - 1, 0.08);
}

TEST(Ace, AlignsMidBlocksAndSpans) {
  const auto bins = NewBins();
  for (size_t alignment = 16; alignment <= 4 * kMiB; alignment *= 2) {
    for (const size_t bytes : {3 * kKiB, 20 * kKiB, 40 * kKiB, 900 * kKiB}) {
      const SizeClass c = Ace::ClassFor(bytes, alignment);
      if (c != SizeClass::kNone) {
        void* blocks[3];
        ASSERT_EQ(Ace::Refill(c, blocks, 3), 3u);
        for (void* block : blocks) {
          ASSERT_EQ(reinterpret_cast<uintptr_t>(block) % alignment, 0u);
        }
        Ace::Drain(c, blocks, 3);
        continue;
      }
      const SpanAllocation span =
          AllocateBlock(bytes, alignment, kAny, bins.get());
      ASSERT_TRUE(span);
      ASSERT_EQ(span.address % alignment, 0u);
      ASSERT_GE(BlockBytesAt(span.address), bytes);
      FreeBlock(span.address, bins.get());
    }
  }
  Ace::TrimBins(*bins, /*all=*/true);
}

TEST(Ace, AWasteCapSendsARequestToASpanOfItsOwn) {
  if (kAceMode == AceMode::kOff) GTEST_SKIP() << "there are no classes";
  auto& cap = options::internal::values[options::k_ace_waste_percent];
  EXPECT_EQ(ClassBytes(Ace::ClassFor(2049, 16)), 2304u);
  EXPECT_EQ(ClassBytes(Ace::ClassFor(2300, 16)), 2304u);
  cap = 1;
  EXPECT_EQ(Ace::ClassFor(2049, 16), SizeClass::kNone);
  EXPECT_EQ(ClassBytes(Ace::ClassFor(2300, 16)), 2304u);
  cap = options::Describe(options::k_ace_waste_percent).fallback;
}

// Random blocks of all kinds, with a check of their contents.
TEST(Ace, BlocksOfAllSizesKeepApart) {
  struct Block {
    size_t bytes;
    SizeClass size_class;
    char mark;
  };
  const auto bins = NewBins();
  std::map<uintptr_t, Block> live;
  std::mt19937_64 random(1);
  const auto check_and_free = [&](auto it) {
    const auto [address, block] = *it;
    ASSERT_EQ(At(address)[0], block.mark);
    ASSERT_EQ(At(address)[block.bytes / 2], block.mark);
    ASSERT_EQ(At(address)[block.bytes - 1], block.mark);
    live.erase(it);
    if (block.size_class != SizeClass::kNone) {
      void* pointer = At(address);
      Ace::Drain(block.size_class, &pointer, 1);
    } else {
      FreeBlock(address, bins.get());
    }
  };
  for (int step = 0; step < 30'000; ++step) {
    if (live.size() > 200 || (!live.empty() && random() % 3 == 0)) {
      check_and_free(std::next(live.begin(),
                               static_cast<int64_t>(random() % live.size())));
    } else {
      const double exponent =
          11.01 + static_cast<double>(random() % 10'000) / 1000;
      const auto bytes =
          static_cast<size_t>(std::exp2(std::min(exponent, 21.)));
      const auto mark = static_cast<char>(random());
      const SizeClass c = Ace::ClassFor(bytes, 16);
      uintptr_t address;
      if (c != SizeClass::kNone) {
        void* block;
        ASSERT_EQ(Ace::Refill(c, &block, 1), 1u);
        address = reinterpret_cast<uintptr_t>(block);
        ASSERT_EQ(Pagemap::ClassAt(address), c);
      } else {
        address = AllocateBlock(bytes, 16, kAny, bins.get()).address;
        ASSERT_NE(address, 0u);
        ASSERT_GE(BlockBytesAt(address), bytes);
      }
      const auto after = live.lower_bound(address);
      if (after != live.end()) {
        ASSERT_LE(address + bytes, after->first);
      }
      if (after != live.begin()) {
        const auto before = std::prev(after);
        ASSERT_LE(before->first + before->second.bytes, address);
      }
      At(address)[0] = At(address)[bytes / 2] = At(address)[bytes - 1] = mark;
      live[address] = {bytes, c, mark};
    }
    if (step % 1000 == 0) Ace::Collect(step, /*force=*/step % 3000 == 0);
    if (step % 500 == 0) Ace::TrimBins(*bins, /*all=*/step % 1500 == 0);
  }
  while (!live.empty()) check_and_free(live.begin());
  Ace::TrimBins(*bins, /*all=*/true);
  Ace::Collect(1 << 20, /*force=*/true);
  const Ace::Totals totals = Ace::Sum();
  EXPECT_EQ(totals.slabs.block_bytes, 0u);
  EXPECT_EQ(totals.span_bytes, 0u);
  EXPECT_EQ(totals.shared_cached, 0u);
  EXPECT_EQ(totals.large_bytes, 0u);
  EXPECT_EQ(totals.large_cached, 0u);
  EXPECT_EQ(AceLimit::Held(), 0u);
}

// Threads free what others allocated, of all kinds, while one thread returns
// all it can to the OS.
TEST(Ace, ThreadsHandOnBlocksOfAllSizes) {
  struct Block {
    uintptr_t address;
    size_t bytes;
    SizeClass size_class;
  };
  constexpr int kThreads = 4;
  std::mutex mutex;
  std::vector<Block> shared;
  std::atomic<int> running{kThreads};
  const auto free_block = [](const Block& block, ThreadSpanCache* bins) {
    EXPECT_EQ(At(block.address)[0], static_cast<char>(block.bytes));
    EXPECT_EQ(At(block.address)[block.bytes - 1],
              static_cast<char>(block.bytes));
    void* pointer = At(block.address);
    if (block.size_class != SizeClass::kNone) {
      Ace::Drain(block.size_class, &pointer, 1);
    } else {
      FreeBlock(block.address, bins);
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const auto bins = NewBins();
      std::mt19937_64 random(t);
      for (int i = 0; i < 4000; ++i) {
        // Few lengths, so that lists become active; the first two threads
        // mostly allocate, the others mostly free.
        const size_t bytes = (3 + random() % 4 * 30) * kKiB;
        const bool allocates = (random() % 4 == 0) != (t < kThreads / 2);
        if (allocates) {
          Block block{0, bytes, Ace::ClassFor(bytes, 16)};
          if (block.size_class != SizeClass::kNone) {
            void* pointer = nullptr;
            ASSERT_EQ(Ace::Refill(block.size_class, &pointer, 1), 1u);
            block.address = reinterpret_cast<uintptr_t>(pointer);
          } else {
            block.address = AllocateBlock(bytes, 16, kAny, bins.get()).address;
            ASSERT_NE(block.address, 0u);
          }
          At(block.address)[0] = static_cast<char>(bytes);
          At(block.address)[bytes - 1] = static_cast<char>(bytes);
          const std::lock_guard<std::mutex> lock(mutex);
          shared.push_back(block);
        } else {
          std::unique_lock<std::mutex> lock(mutex);
          if (shared.empty()) continue;
          std::swap(shared[random() % shared.size()], shared.back());
          const Block block = shared.back();
          shared.pop_back();
          lock.unlock();
          free_block(block, bins.get());
        }
        if (i % 500 == 0) Ace::TrimBins(*bins, /*all=*/false);
      }
      Ace::TrimBins(*bins, /*all=*/true);
      --running;
    });
  }
  for (uint64_t now = 0; running != 0; now += 200) {
    Ace::Collect(now, /*force=*/now % 1000 == 0);
    (void)Ace::Sum();
  }
  for (std::thread& thread : threads) thread.join();
  for (const Block& block : shared) free_block(block, nullptr);
  Ace::Collect(1 << 20, /*force=*/true);
  EXPECT_EQ(AceLimit::Held(), 0u);
}

TEST(Ace, OneMidBlockInUseDoesNotKeepItsSlabResident) {
  if (kAceMode == AceMode::kOff) GTEST_SKIP() << "there are no mid blocks";
  const SizeClass c = ClassOf(16 * kKiB);  // four in a slab
  Ace::Collect(0, /*force=*/true);
  const uint64_t before = Ace::Sum().slabs.committed_bytes;
  std::vector<void*> blocks(400);
  for (void*& block : blocks) ASSERT_EQ(Ace::Refill(c, &block, 1), 1u);
  for (void* block : blocks) memset(block, 1, 16 * kKiB);
  std::vector<void*> kept;
  std::vector<void*> freed;
  for (size_t i = 0; i < blocks.size(); ++i) {
    (i % 4 == 0 ? kept : freed).push_back(blocks[i]);
  }
  Ace::Drain(c, freed.data(), freed.size());
  Ace::Collect(0, /*force=*/true);
  EXPECT_EQ(Ace::Sum().slabs.committed_bytes, before + size_t{100} * 16 * kKiB);
  for (void* block : kept) EXPECT_EQ(static_cast<char*>(block)[5000], 1);
  // Purged blocks can be allocated again.
  for (void*& block : freed) {
    ASSERT_EQ(Ace::Refill(c, &block, 1), 1u);
    memset(block, 2, 16 * kKiB);
  }
  EXPECT_EQ(Ace::Sum().slabs.committed_bytes, before + size_t{400} * 16 * kKiB);
  Ace::Drain(c, freed.data(), freed.size());
  Ace::Drain(c, kept.data(), kept.size());
}

TEST(Ace, KeepsItsLimitAndSaysSo) {
  auto& limit = options::internal::values[options::k_ace_limit_mb];
  const auto bins = NewBins();
  Ace::TrimBins(*bins, /*all=*/true);
  limit = AceLimit::Held() / kMiB + 8;
  std::vector<uintptr_t> spans;
  for (;;) {
    const SpanAllocation span = AllocateBlock(100 * kKiB, 16, kAny, bins.get());
    if (!span) break;
    spans.push_back(span.address);
    ASSERT_LE(AceLimit::Held(), AceLimit::Bytes());
  }
  EXPECT_GE(spans.size(), 8 * kMiB / (104 * kKiB) - 3);
  if (kTracing) {
    EXPECT_EQ(internal::failure_note.cause, HAKMEM_CAUSE_EXHAUSTION);
    EXPECT_EQ(internal::failure_note.limit_bytes, AceLimit::Bytes());
    EXPECT_EQ(
        internal::failure_note.live_bytes + internal::failure_note.cached_bytes,
        AceLimit::Held());
  }
  const SizeClass c = Ace::ClassFor(20 * kKiB, 16);
  if (c != SizeClass::kNone) {
    std::vector<void*> blocks(100);
    const uint32_t got = Ace::Refill(c, blocks.data(), 100);
    EXPECT_LT(got, 100u);
    Ace::Drain(c, blocks.data(), got);
  }
  // Large blocks do not count for the limit.
  const SpanAllocation large = AllocateBlock(20 * kMiB, 16, kAny, bins.get());
  EXPECT_TRUE(large);
  FreeBlock(large.address, bins.get());
  // Memory returned to the pool can be allocated again.
  FreeBlock(spans.back(), bins.get());
  spans.pop_back();
  const SpanAllocation again = AllocateBlock(100 * kKiB, 16, kAny, bins.get());
  EXPECT_TRUE(again);
  spans.push_back(again.address);
  for (const uintptr_t span : spans) FreeBlock(span, bins.get());
  Ace::TrimBins(*bins, /*all=*/true);
  Ace::Collect(0, /*force=*/true);
  EXPECT_EQ(AceLimit::Held(), 0u);
  limit = 0;
}

TEST(Ace, CachedLargeBlocksServeNearlyEqualSizes) {
  if (kAceMode == AceMode::kOff) GTEST_SKIP() << "nothing is cached";
  Ace::Collect(0, /*force=*/true);
  const uintptr_t block = AllocateBlock(5 * kMiB, 16, kAny, nullptr).address;
  memset(At(block), 1, 5 * kMiB);
  FreeBlock(block, nullptr);
  EXPECT_EQ(BlockBytesAt(block), 0u);
  EXPECT_EQ(Ace::Sum().large_cached, 5 * kMiB);
  const SpanAllocation again =
      AllocateBlock(5 * kMiB - 300 * kKiB, 16, kAny, nullptr);
  EXPECT_EQ(again.address, block);
  EXPECT_FALSE(again.is_zero);
  EXPECT_EQ(BlockBytesAt(block), 5 * kMiB);
  FreeBlock(again.address, nullptr);
  Ace::Collect(0, /*force=*/true);
  EXPECT_EQ(Ace::Sum().large_cached, 0u);
}

TEST(Ace, ZeroedBlocksTakeDenseCachedMemoryAndReplaceSparse) {
  if (kAceMode == AceMode::kOff) GTEST_SKIP() << "nothing is cached";
  Ace::Collect(0, /*force=*/true);
  for (const bool is_dense : {true, false}) {
    const uintptr_t block = AllocateBlock(6 * kMiB, 16, kAny, nullptr).address;
    memset(At(block), 1, is_dense ? 6 * kMiB : kMiB);
    FreeBlock(block, nullptr);
    // Longer: assembled from the cached memory and more.
    const SpanAllocation zeroed =
        AllocateBlock(9 * kMiB, 16, Ace::Contents::kZero, nullptr);
    EXPECT_TRUE(zeroed.is_zero);
    EXPECT_EQ(Ace::Sum().large_cached, 0u);
    for (size_t i = 0; i < 9 * kMiB; i += 512) {
      ASSERT_EQ(At(zeroed.address)[i], 0) << i;
    }
    // Of that length: cleared by the caller. Only its first sixth is touched
    // now.
    memset(At(zeroed.address), 1, is_dense ? 9 * kMiB : kMiB);
    FreeBlock(zeroed.address, nullptr);
    const SpanAllocation next =
        AllocateBlock(9 * kMiB, 16, Ace::Contents::kZero, nullptr);
    EXPECT_EQ(next.is_zero, !is_dense);
    EXPECT_EQ(Ace::Sum().large_cached, 0u);
    FreeBlock(next.address, nullptr);
    Ace::Collect(0, /*force=*/true);
  }
}

// Caches 9 MiB full of 1 and 7 MiB full of 2.
void CacheTwo() {
  Ace::Collect(0, /*force=*/true);
  const uintptr_t a = AllocateBlock(9 * kMiB, 16, kAny, nullptr).address;
  const uintptr_t b = AllocateBlock(7 * kMiB, 16, kAny, nullptr).address;
  memset(At(a), 1, 9 * kMiB);
  memset(At(b), 2, 7 * kMiB);
  FreeBlock(a, nullptr);
  FreeBlock(b, nullptr);
}

TEST(Ace, CachedMemoryIsMovedTogetherForOtherSizes) {
  if (kAceMode == AceMode::kOff) GTEST_SKIP() << "nothing is cached";
  CacheTwo();
  const size_t cached = Ace::Sum().large_cached;
  ASSERT_GE(cached, 16 * kMiB);
  const SpanAllocation whole = AllocateBlock(14 * kMiB, 16, kAny, nullptr);
  ASSERT_NE(whole.address, 0u);
  EXPECT_FALSE(whole.is_zero);
  EXPECT_EQ(whole.address % (2 * kMiB), 0u);
  EXPECT_GE(BlockBytesAt(whole.address), 14 * kMiB);
  EXPECT_LE(Ace::Sum().large_cached, cached - 12 * kMiB);
  // The resident memory was reused: it has both blocks' bytes.
  size_t ones = 0;
  size_t twos = 0;
  for (size_t i = 0; i < 14 * kMiB; i += 4096) {
    ones += At(whole.address)[i] == 1;
    twos += At(whole.address)[i] == 2;
  }
  EXPECT_GE(ones, 8 * kMiB / 4096);
  EXPECT_GE(twos, 4 * kMiB / 4096);
  memset(At(whole.address), 3, 14 * kMiB);
  // mremap cannot grow it; it is unchanged.
  if (const uintptr_t grown = ResizeBlock(whole.address, 40 * kMiB)) {
    EXPECT_EQ(At(grown)[14 * kMiB - 1], 3);
    FreeBlock(grown, nullptr);
  } else {
    EXPECT_EQ(At(whole.address)[14 * kMiB - 1], 3);
    FreeBlock(whole.address, nullptr);
  }
  Ace::Collect(0, /*force=*/true);
  EXPECT_EQ(Ace::Sum().large_cached, 0u);
}

TEST(Ace, AShortBlockLeavesTheRestOfACachedOne) {
  if (kAceMode == AceMode::kOff) GTEST_SKIP() << "nothing is cached";
  CacheTwo();
  const size_t cached = Ace::Sum().large_cached;
  const SpanAllocation part = AllocateBlock(3 * kMiB, 16, kAny, nullptr);
  EXPECT_FALSE(part.is_zero);
  EXPECT_LE(Ace::Sum().large_cached, cached - 3 * kMiB);
  EXPECT_GE(Ace::Sum().large_cached, cached - 4 * kMiB);
  memset(At(part.address), 4, 3 * kMiB);
  // Other blocks get the rest, and nothing that is in use.
  const SpanAllocation rest = AllocateBlock(12 * kMiB, 16, kAny, nullptr);
  memset(At(rest.address), 5, 12 * kMiB);
  for (size_t i = 0; i < 3 * kMiB; ++i) ASSERT_EQ(At(part.address)[i], 4);
  FreeBlock(part.address, nullptr);
  FreeBlock(rest.address, nullptr);
  Ace::Collect(0, /*force=*/true);
  EXPECT_EQ(Ace::Sum().large_cached, 0u);
}

TEST(Ace, AVectorThatBeginsToGrowGetsALongerBlockToGrowInto) {
  if (kAceMode == AceMode::kOff) GTEST_SKIP() << "nothing is cached";
  Ace::Collect(0, /*force=*/true);
  const uintptr_t old = AllocateBlock(7 * kMiB, 16, kAny, nullptr).address;
  memset(At(old), 1, 7 * kMiB);
  FreeBlock(old, nullptr);
  const SpanAllocation vector = AllocateBlock(1536 * kKiB, 16, kAny, nullptr);
  EXPECT_EQ(vector.address, old);
  EXPECT_FALSE(vector.is_zero);
  EXPECT_EQ(BlockBytesAt(old), 1536 * kKiB);
  EXPECT_EQ(Ace::Sum().large_cached, 7 * kMiB - 1536 * kKiB);
  ASSERT_EQ(ResizeBlock(old, 6 * kMiB), old);
  EXPECT_EQ(At(old)[6 * kMiB - 1], 1);
  EXPECT_EQ(Ace::Sum().large_cached, 1 * kMiB);
  FreeBlock(old, nullptr);
  EXPECT_EQ(Ace::Sum().large_cached, 7 * kMiB);
  Ace::Collect(0, /*force=*/true);
  EXPECT_EQ(Ace::Sum().large_cached, 0u);
}

TEST(Ace, AShrunkenBlockKeepsItsTailForAWhile) {
  if (kAceMode == AceMode::kOff) GTEST_SKIP() << "nothing is cached";
  Ace::Collect(0, /*force=*/true);
  const uintptr_t block = AllocateBlock(6 * kMiB, 16, kAny, nullptr).address;
  memset(At(block), 1, 6 * kMiB);
  ASSERT_EQ(ResizeBlock(block, 3 * kMiB), block);
  EXPECT_EQ(BlockBytesAt(block), 3 * kMiB);
  EXPECT_EQ(Ace::Sum().large_cached, 3 * kMiB);
  ASSERT_EQ(ResizeBlock(block, 5 * kMiB), block);
  EXPECT_EQ(At(block)[5 * kMiB - 1], 1);
  EXPECT_EQ(Ace::Sum().large_cached, 1 * kMiB);
  Ace::Collect(0, /*force=*/true);
  EXPECT_EQ(Ace::Sum().large_cached, 0u);
  EXPECT_EQ(At(block)[5 * kMiB - 1], 1);
  // Grows beyond its old size, and keeps its contents.
  const uintptr_t grown = ResizeBlock(block, 20 * kMiB);
  ASSERT_NE(grown, 0u);
  EXPECT_EQ(At(grown)[5 * kMiB - 1], 1);
  memset(At(grown), 2, 20 * kMiB);
  ASSERT_EQ(ResizeBlock(grown, 10 * kMiB), grown);
  FreeBlock(grown, nullptr);  // with its tail
  Ace::Collect(0, /*force=*/true);
  EXPECT_EQ(Ace::Sum().large_cached, 0u);
}

TEST(Ace, ResizesInPlaceWhereItCan) {
  const SpanAllocation span = AllocateBlock(200 * kKiB, 16, kAny, nullptr);
  memset(At(span.address), 7, 200 * kKiB);
  EXPECT_EQ(ResizeBlock(span.address, 100 * kKiB), span.address);
  EXPECT_LE(BlockBytesAt(span.address), 104 * kKiB);
  EXPECT_EQ(ResizeBlock(span.address, 200 * kKiB), span.address);
  EXPECT_EQ(At(span.address)[100 * kKiB - 1], 7);
  EXPECT_EQ(ResizeBlock(span.address, 2 * kMiB), 0u);
  FreeBlock(span.address, nullptr);
}

TEST(AceDeathTest, FindsASpanFreedTwiceWhileItIsCached) {
  const auto bins = NewBins();
  for (int i = 0; i < 100; ++i) {
    const SpanAllocation span = AllocateBlock(50 * kKiB, 16, kAny, bins.get());
    FreeBlock(span.address, bins.get());
  }
  const uintptr_t keep = AllocateBlock(50 * kKiB, 16, kAny, bins.get()).address;
  const uintptr_t span = AllocateBlock(50 * kKiB, 16, kAny, bins.get()).address;
  FreeBlock(span, bins.get());
  EXPECT_DEATH(FreeBlock(span, bins.get()), "double free of 0x");
  FreeBlock(keep, bins.get());
  Ace::TrimBins(*bins, /*all=*/true);
}

}  // namespace
}  // namespace hakmem
