// Blocks freed by other threads, and threads that start and end.
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

struct Parcel {
  void* block;
  size_t size;
  uint64_t seed;
};

// A queue of blocks from one thread to another; bounded at a few thousand, so
// that the producer runs well ahead of the consumer.
class HandOver {
 public:
  void Give(const Parcel& parcel) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return parcels_.size() < 4096; });
    parcels_.push_back(parcel);
    changed_.notify_all();
  }
  // Takes all blocks in the queue, without waiting.
  std::deque<Parcel> TakeAll() {
    std::deque<Parcel> all;
    std::lock_guard<std::mutex> lock(mutex_);
    all.swap(parcels_);
    changed_.notify_all();
    return all;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Parcel> parcels_;
};

class CrossingThreadsTest : public testing::TestWithParam<int> {};

// Each thread allocates for the next one in a ring, and frees, or grows and
// then frees, what the previous one allocated.
TEST_P(CrossingThreadsTest, ContentsArriveAndMemoryIsGivenBack) {
  const size_t count = static_cast<size_t>(GetParam());
  const size_t blocks_each = 400000 / count;
  WarmUpThreads(count);
  const uint64_t live_before = CollectedStats().live_bytes;
  std::atomic<uint64_t> wrong = 0;
  {
    std::vector<HandOver> queues(count);
    std::atomic<size_t> still_giving = count;
    std::vector<std::thread> threads;
    for (size_t self = 0; self < count; ++self) {
      threads.emplace_back([&, self] {
        std::mt19937_64 random(self);
        const auto take = [&] {
          for (Parcel& parcel : queues[self].TakeAll()) {
            if (parcel.seed % 16 == 0) {
              parcel.block = realloc(parcel.block, parcel.size + 100);
            }
            if (!Holds(parcel.block, parcel.size, parcel.seed)) ++wrong;
            free(parcel.block);
          }
        };
        for (size_t i = 0; i < blocks_each; ++i) {
          const size_t size = AnySize(random) / 2;
          Parcel parcel = {malloc(size), size, random()};
          if (parcel.block == nullptr) abort();
          Fill(parcel.block, size, parcel.seed);
          // Taking this often rules out a deadlock: a thread that waits has
          // given thousands since the next one took, and has taken itself since
          // then.
          if (i % 4 == 0) take();
          queues[(self + 1) % count].Give(parcel);
        }
        --still_giving;
        while (still_giving > 0) {
          take();
          std::this_thread::yield();
        }
        take();
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(CollectedStats().live_bytes, live_before);
  EXPECT_EQ(HeapProblems(), 0);
}

INSTANTIATE_TEST_SUITE_P(TwoAndEight, CrossingThreadsTest,
                         testing::Values(2, 8));

TEST(ThreadsTest, AThreadThatOnlyFreesFeedsOneThatOnlyAllocates) {
  constexpr int kBlocks = 2000000;
  HandOver queue;
  std::atomic<bool> done = false;
  size_t most = 0;
  const size_t before = ResidentBytes();
  std::thread frees([&] {
    for (;;) {
      const bool last = done;
      for (const Parcel& parcel : queue.TakeAll()) free(parcel.block);
      if (last) return;
      std::this_thread::yield();
    }
  });
  for (int i = 0; i < kBlocks; ++i) {
    const size_t size = 16 + static_cast<size_t>(i) % 1000;
    char* block = static_cast<char*>(malloc(size));
    block[0] = block[size - 1] = 1;
    queue.Give({block, size, 0});
    if (i % 10000 == 0) most = std::max(most, ResidentBytes());
  }
  done = true;
  frees.join();
  // About 1 GiB passed through; a few thousand blocks were held at any time.
  EXPECT_LT(most, before + 64 * kMiB);
}

TEST(ThreadsTest, FiveThousandShortLivesLeaveNothing) {
  const auto live_a_little = [](int number) {
    std::mt19937_64 random(static_cast<uint64_t>(number));
    void* held[50];
    for (void*& block : held) {
      const size_t size = AnySize(random) / 8;
      block = malloc(size);
      Fill(block, size, 1);
    }
    for (void* block : held) free(block);
  };
  size_t after_some = 0;
  WarmUpThreads(4);
  const hakmem_stats_t before = CollectedStats();
  for (int i = 0; i < 5000; i += 4) {
    std::thread threads[4];
    for (int j = 0; j < 4; ++j) threads[j] = std::thread(live_a_little, i + j);
    for (std::thread& thread : threads) thread.join();
    if (i == 1000) after_some = ResidentBytes();
  }
  EXPECT_LT(ResidentBytes(), after_some + 16 * kMiB);
  const hakmem_stats_t after = CollectedStats();
  EXPECT_EQ(after.live_bytes, before.live_bytes);
  EXPECT_EQ(after.threads, before.threads);
  EXPECT_LE(after.metadata_bytes, before.metadata_bytes + 4 * kMiB);
}

TEST(ThreadsTest, TheSmallestStackIsEnough) {
  const size_t stack = static_cast<size_t>(sysconf(_SC_THREAD_STACK_MIN));
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, stack), 0);
  static char right;  // its address is the result of a thread that succeeded
  const auto work = [](void*) -> void* {
    void* held[16] = {};
    size_t size = 1;
    for (int i = 0; i < 400; ++i) {
      void*& block = held[i % 16];
      size = size * 7 % 5000011;  // every kind of block occurs
      block = i % 3 == 0 ? realloc(block, size) : (free(block), malloc(size));
      if (block == nullptr) return nullptr;
      static_cast<char*>(block)[size - 1] = 1;
    }
    for (void* block : held) free(block);
    Hakmem().collect();
    Stats();
    char json[16];
    Hakmem().stats_json(json, sizeof(json));
    if (malloc(Opaque(~size_t{0})) != nullptr) return nullptr;
    return &right;
  };
  for (int i = 0; i < 50; ++i) {
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, &attributes, work, nullptr), 0);
    void* result = nullptr;
    ASSERT_EQ(pthread_join(thread, &result), 0);
    EXPECT_EQ(result, &right);
  }
  pthread_attr_destroy(&attributes);
}

// Blocks of one round: about 8 MiB of small ones and some spans.
std::vector<void*> AllocateRound(uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<void*> blocks;
  blocks.reserve(20000);
  for (size_t bytes = 0; bytes < 8 * kMiB;) {
    const size_t size = 16 + AnySize(random) / 16;
    blocks.push_back(malloc(size));
    Fill(blocks.back(), size, size);
    bytes += size;
  }
  return blocks;
}

constexpr int kRounds = 200;
constexpr int kFirstRounds = 20;

TEST(ThreadsTest, WhatAnExitedThreadAllocatedIsReusedOnceFreed) {
  size_t after_some = 0;
  WarmUpThreads(1);
  const uint64_t live_before = CollectedStats().live_bytes;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<void*> blocks;
    std::thread([&] { blocks = AllocateRound(round); }).join();
    for (void* block : blocks) free(block);
    if (round == kFirstRounds) after_some = ResidentBytes();
  }
  EXPECT_LT(ResidentBytes(), after_some + 16 * kMiB);
  EXPECT_EQ(CollectedStats().live_bytes, live_before);
}

TEST(ThreadsTest, WhatAnExitedThreadAllocatedIsReusedOnceAnotherThreadFreed) {
  // Both threads of a round end, the one that allocates and the one that frees.
  size_t after_some = 0;
  WarmUpThreads(1);
  const uint64_t live_before = CollectedStats().live_bytes;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<void*> blocks;
    std::thread([&] { blocks = AllocateRound(round); }).join();
    std::thread([&] {
      for (void* block : blocks) free(block);
    }).join();
    if (round == kFirstRounds) after_some = ResidentBytes();
  }
  EXPECT_LT(ResidentBytes(), after_some + 16 * kMiB);
  EXPECT_EQ(CollectedStats().live_bytes, live_before);
}

TEST(ThreadsTest, AnExitedThreadsHalfEmptySlabsServeOthers) {
  // Each thread leaves one block in ten live. Later threads must use the memory
  // in between, or 200 rounds would take ten times as much.
  const size_t before = ResidentBytes();
  std::vector<void*> left;
  left.reserve(500000);
  for (int round = 0; round < kRounds; ++round) {
    std::thread([&] {
      std::vector<void*> blocks(10000);
      for (void*& block : blocks) {
        block = malloc(100);
        Fill(block, 100, 1);
      }
      for (size_t i = 0; i < blocks.size(); ++i) {
        if (i % 10 == 0) {
          left.push_back(blocks[i]);
        } else {
          free(blocks[i]);
        }
      }
    }).join();
  }
  // 200,000 blocks of at most 112 bytes and the vector make 26 MiB.
  EXPECT_LT(ResidentBytes(), before + 80 * kMiB);
  for (void* block : left) {
    EXPECT_TRUE(Holds(block, 100, 1));
    free(block);
  }
}

}  // namespace
}  // namespace hakmem_test
