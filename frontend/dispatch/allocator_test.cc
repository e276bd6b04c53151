// allocator_test.cc: the allocator from inside, under its own names and beside
// the process's malloc, so that sanitizers, which need that malloc, can watch
// it. Other tests check its behaviour from outside; this one runs all of it
// from several threads at once, with what stresses synchronization: remote
// frees, threads that end, housekeeping, fork, events switched on and off.
#include "frontend/dispatch/allocator.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "base/build_config.h"
#include "base/text/options.h"
#include "frontend/dispatch/dispatch_test_helper.h"
#include "frontend/thread_cache/thread_cache.h"
#include "frontend/verify/heap_check.h"
#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tracing/counters/counters.h"
#include "tracing/events/events.h"

namespace hakmem {
namespace {

using hakmem_test::AnySize;
using hakmem_test::Fill;
using hakmem_test::Holds;
using hakmem_test::IsAligned;
using hakmem_test::IsZero;
using hakmem_test::kKiB;
using hakmem_test::kMiB;

constexpr int kThreads = 4;

void* Memalign(size_t alignment, size_t bytes) {
  return AllocateAligned(alignment, bytes, CallOf(HAKMEM_ENTRY_MEMALIGN));
}

void* Realloc(void* block, size_t bytes) {
  return Reallocate(block, bytes, CallOf(HAKMEM_ENTRY_REALLOC));
}

// A block and the size that determines its contents.
struct Held {
  void* block = nullptr;
  size_t size = 0;
};

// Hands blocks from one thread to another.
class Exchange {
 public:
  // Leaves `held` and takes what another thread left, or nothing.
  Held Swap(Held held, size_t place) {
    const std::lock_guard lock(mutex_);
    std::swap(places_[place % kPlaces], held);
    return held;
  }
  std::vector<Held> TakeAll() {
    const std::lock_guard lock(mutex_);
    std::vector<Held> all(places_, places_ + kPlaces);
    std::fill(places_, places_ + kPlaces, Held{});
    return all;
  }

 private:
  static constexpr size_t kPlaces = 64;

  std::mutex mutex_;
  Held places_[kPlaces];
};

// One thread's work. Counts errors instead of using expectations, which are not
// made for many threads and forked children.
class Worker {
 public:
  Worker(uint64_t seed, Exchange* exchange)
      : random_(seed), exchange_(exchange) {}

  // Runs `steps` steps, then frees what it holds. Returns the number of errors.
  int Run(int steps) {
    for (int i = 0; i < steps; ++i) Step();
    for (Held& held : all_) Release(held);
    return wrong_;
  }

 private:
  void Step() {
    Held& held = all_[random_() % all_.size()];
    switch (random_() % 8) {
      case 0:
        return Resize(held);
      case 1:
        Check(held);
        held = exchange_->Swap(held, random_());
        Check(held);
        return;
      case 2:
        Release(held);
        held.size = AnySize(random_) + 1;
        held.block = Calloc(held.size);
        Expect(held.block != nullptr && IsZero(held.block, held.size));
        break;
      case 3: {
        Release(held);
        held.size = AnySize(random_) / 4 + 1;
        const size_t alignment = size_t{16} << random_() % 14;
        held.block = Memalign(alignment, held.size);
        Expect(held.block != nullptr && IsAligned(held.block, alignment));
        break;
      }
      default:
        Release(held);
        held.size = AnySize(random_) + 1;
        held.block = Malloc(held.size);
        Expect(held.block != nullptr && UsableBytes(held.block) >= held.size);
        break;
    }
    if (held.block != nullptr) Fill(held.block, held.size, held.size);
  }

  void Resize(Held& held) {
    const size_t size = AnySize(random_) + 1;
    void* moved = Realloc(held.block, size);
    Expect(moved != nullptr);
    if (moved == nullptr) return;
    Expect(Holds(moved, std::min(held.block == nullptr ? 0 : held.size, size),
                 held.size));
    held = {moved, size};
    Fill(moved, size, size);
  }

  void Release(Held& held) {
    Check(held);
    Free(held.block);
    held = {};
  }

  void Check(const Held& held) {
    Expect(held.block == nullptr || Holds(held.block, held.size, held.size));
  }

  void Expect(bool condition) {
    if (!condition) ++wrong_;
  }

  std::mt19937_64 random_;
  Exchange* const exchange_;
  std::vector<Held> all_ = std::vector<Held>(100);
  int wrong_ = 0;
};

void FreeAll(Exchange& exchange) {
  for (const Held& held : exchange.TakeAll()) Free(held.block);
}

// Threads that work, end, and are replaced by others, until this is destroyed.
class BusyThreads {
 public:
  explicit BusyThreads(int count = kThreads) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this, i, count] {
        for (uint64_t round = 0; !stop_; ++round) {
          std::thread successor([this, i, count, round] {
            wrong_ += Worker(round * count + i, &exchange_).Run(1000);
            ++rounds_;
          });
          successor.join();
        }
      });
    }
  }
  ~BusyThreads() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    EXPECT_EQ(wrong_, 0);
    EXPECT_GT(rounds_, 0);
    FreeAll(exchange_);
  }

  void WaitForRounds(int count) const {
    const int target = rounds_ + count;
    while (rounds_ < target) std::this_thread::yield();
  }

 private:
  Exchange exchange_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> wrong_ = 0;
  std::atomic<int> rounds_ = 0;
  std::vector<std::thread> threads_;
};

TEST(AllocatorTest, ThreadsShareAndPassOnBlocks) {
  Exchange exchange;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back(
        [&, i] { wrong += Worker(i + 1, &exchange).Run(10'000); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  FreeAll(exchange);
}

TEST(AllocatorTest, WhatAThreadLeavesIsFreedByOthers) {
  for (int round = 0; round < 20; ++round) {
    std::vector<Held> left(2000);
    std::thread first([&] {
      for (size_t i = 0; i < left.size(); ++i) {
        left[i] = {Malloc(i % 600 + 1), i % 600 + 1};
        Fill(left[i].block, left[i].size, left[i].size);
      }
    });
    first.join();
    std::thread second([&] {
      for (size_t i = 0; i < left.size(); i += 2) Free(left[i].block);
    });
    for (size_t i = 1; i < left.size(); i += 2) {
      EXPECT_TRUE(Holds(left[i].block, left[i].size, left[i].size));
      Free(left[i].block);
    }
    second.join();
  }
}

TEST(AllocatorTest, BlocksPassedInOnlyOneDirection) {
  // The receiver frees what it never allocates: remote frees, in batches.
  PassInOneDirection();
}

TEST(AllocatorTest, EverythingIsCollectedMeanwhile) {
  BusyThreads busy;
  for (int i = 0; i < 10; ++i) {
    busy.WaitForRounds(1);
    CollectAll();
    EXPECT_GE(ThreadCache::SumAll().threads, 1u);
  }
}

// A bin that has blocks of a class must not serve a size that the waste cap
// refuses it.
TEST(AllocatorTest, SizesWithoutAClassFindNoBin) {
  if (kAceMode == AceMode::kOff || kNotesOriginsInSlabs) GTEST_SKIP();
  auto& waste_percent = options::internal::values[options::k_ace_waste_percent];
  const uint64_t before = waste_percent.exchange(5);
  ThreadCache::ApplyOptions();
  // The thread may be watching the clock, without bins, when the test begins.
  void* block = nullptr;
  for (int i = 0; i < 1'000'000 && block == nullptr; ++i) {
    Free(Malloc(5120));
    block = PopFromBins(5120);
  }
  EXPECT_NE(block, nullptr);
  Free(block);
  EXPECT_EQ(PopFromBins(4609), nullptr);
  for (const auto& [bytes, usable] :
       {std::pair{4609, 8192}, {4876, 8192}, {4877, 5120}, {5120, 5120}}) {
    block = Malloc(bytes);
    EXPECT_EQ(UsableBytes(block), usable) << bytes;
    Free(block);
  }
  waste_percent = before;
  ThreadCache::ApplyOptions();
  block = Malloc(4609);
  EXPECT_EQ(UsableBytes(block), 5120);
  Free(block);
}

// The bins of mid classes grow with what is in use, until they serve nearly
// all of a mix.
TEST(AllocatorTest, MidBinsGrowWithUse) {
  if (kAceMode != AceMode::kAdaptive || !kTracing) GTEST_SKIP();
  std::minstd_rand random(1);
  std::vector<void*> blocks(2000);
  int requests = 0;
  const auto replace = [&](int times) {
    for (int i = 0; i < times; ++i) {
      void*& block = blocks[random() % blocks.size()];
      if (block != nullptr) {
        Free(block);
        block = nullptr;
      } else {
        block = Malloc(2049 + random() % 30000);
        ++requests;
      }
    }
  };
  replace(200'000);
  const uint64_t refills = CountOf(Event::kRefill);
  requests = 0;
  replace(200'000);
  EXPECT_LT((CountOf(Event::kRefill) - refills) * 20, requests);
  for (void* block : blocks) Free(block);
}

// With many threads, others take the blocks in a thread's reserve.
TEST(AllocatorTest, ManyThreadsAreFlushedMeanwhile) {
  BusyThreads busy(/*count=*/20);
  for (int i = 0; i < 40; ++i) {
    busy.WaitForRounds(1);
    ThreadCache::FlushReserves();
    ThreadCache::FlushIdleReserves(/*now=*/UINT64_MAX, /*budget=*/nullptr);
  }
}

TEST(AllocatorTest, EventsAreSwitchedOnAndOffMeanwhile) {
  BusyThreads busy;
  for (int i = 0; i < 10; ++i) {
    StartEvents();
    ThreadCache::DisableFastPathOnAllThreads();
    busy.WaitForRounds(1);
    StopEvents();
    busy.WaitForRounds(1);
  }
}

TEST(AllocatorTest, ChildrenAreForkedMeanwhile) {
  // Inherited blocks, which the child frees like its own.
  std::vector<Held> inherited;
  for (size_t i = 1; i < 300; ++i) {
    inherited.push_back({Malloc(i * 50), i * 50});
    Fill(inherited.back().block, i * 50, i * 50);
  }
  {
    BusyThreads busy;
    for (uint64_t i = 0; i < 10; ++i) {
      busy.WaitForRounds(1);
      const pid_t child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        alarm(60);
        // On the stack: the process's own malloc is not under test, and a
        // sanitizer's may have been caught mid-call.
        bool whole = true;
        for (const Held& held : inherited) {
          whole = whole && Holds(held.block, held.size, held.size);
          Free(held.block);
        }
        for (size_t size = 1; size < 3 * kMiB; size = size * 3 / 2 + 1) {
          void* block = Calloc(size);
          whole = whole && block != nullptr && IsZero(block, size);
          block = Realloc(block, size * 2);
          whole = whole && block != nullptr && IsZero(block, size);
          Free(block);
        }
        CollectAll();
        _exit(whole ? 0 : 1);
      }
      int status = -1;
      ASSERT_EQ(waitpid(child, &status, 0), child);
      EXPECT_EQ(status, 0);
    }
  }
  for (const Held& held : inherited) {
    EXPECT_TRUE(Holds(held.block, held.size, held.size));
    Free(held.block);
  }
}

TEST(AllocatorTest, TheHeapVerifiesAfterAll) {
  {
    BusyThreads busy;
    busy.WaitForRounds(2 * kThreads);
  }
  EXPECT_EQ(CheckHeap(), 0);
  CollectAll();
  EXPECT_EQ(CheckHeap(), 0);
}

TEST(AllocatorTest, ImpossibleRequestsAreRefused) {
  for (const size_t bytes : {size_t{PTRDIFF_MAX} + 1, SIZE_MAX}) {
    errno = 0;
    EXPECT_EQ(Malloc(bytes), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    EXPECT_EQ(Calloc(bytes), nullptr);
    EXPECT_EQ(Memalign(64, bytes), nullptr);
    void* block = Malloc(100);
    EXPECT_EQ(Realloc(block, bytes), nullptr);
    Free(block);
  }
}

TEST(AllocatorTest, ReallocKeepsContentsThroughEverySize) {
  size_t before = 1;
  void* block = Malloc(before);
  Fill(block, before, 7);
  for (const size_t size :
       {size_t{16}, size_t{100}, 3 * kKiB, 50 * kKiB, 700 * kKiB, 3 * kMiB,
        9 * kMiB, 3 * kMiB, 100 * kKiB, 5 * kKiB, size_t{10}}) {
    block = Realloc(block, size);
    ASSERT_NE(block, nullptr);
    EXPECT_TRUE(Holds(block, std::min(before, size) / 8 * 8, 7)) << size;
    Fill(block, size, 7);
    before = size;
  }
  Free(block);
}

}  // namespace
}  // namespace hakmem
