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
