// A process that has taken every pthread key before the library could have one.
// The library is not notified when threads end; it still finds their caches
// when other threads start.
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

pthread_key_t keys[PTHREAD_KEYS_MAX];
size_t key_count = 0;

// Runs before every constructor, also those of the preloaded library.
void TakeAllKeys() {
  while (key_count < std::size(keys) &&
         pthread_key_create(&keys[key_count], nullptr) == 0) {
    ++key_count;
  }
}
__attribute__((section(".preinit_array"),
               used)) void (*preinit)() = TakeAllKeys;

// Before the constructors of this program, whose parts need keys.
__attribute__((constructor(101))) void GiveKeysBack() {
  for (size_t i = 0; i < key_count; ++i) pthread_key_delete(keys[i]);
}

void AllocateInThread() {
  void* blocks[200];
  for (size_t i = 0; i < std::size(blocks); ++i) {
    blocks[i] = malloc(i * 20 + 1);
    Fill(blocks[i], i * 20 + 1, i);
  }
  for (size_t i = 0; i < std::size(blocks); ++i) {
    if (!Holds(blocks[i], i * 20 + 1, i)) abort();
    free(blocks[i]);
  }
}

TEST(KeylessThreadsTest, TheProgramTookAllKeys) { EXPECT_GT(key_count, 500u); }

TEST(KeylessThreadsTest, CachesOfEndedThreadsAreUsedAgain) {
  for (int i = 0; i < 200; ++i) std::thread(AllocateInThread).join();
  const size_t resident = ResidentBytes();
  uint64_t most = 0;
  for (int i = 0; i < 2000; ++i) {
    std::thread(AllocateInThread).join();
    most = std::max(most, uint64_t{Stats().threads});
  }
  EXPECT_LE(most, 32u);
  EXPECT_LE(ResidentBytes(), resident + 16 * kMiB);
  EXPECT_EQ(HeapProblems(), 0);
}

TEST(KeylessThreadsTest, LiveThreadsKeepTheirs) {
  constexpr size_t kLive = 100;
  std::atomic<bool> stop = false;
  std::atomic<size_t> began = 0;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> live;
  for (size_t i = 0; i < kLive; ++i) {
    live.emplace_back([&, i] {
      void* block = malloc(1000);
      Fill(block, 1000, i);
      ++began;
      while (!stop) {
        std::this_thread::yield();
        if (!AllocateAndFree(i, 3)) ++wrong;
      }
      if (!Holds(block, 1000, i)) ++wrong;
      free(block);
    });
  }
  while (began < kLive) std::this_thread::yield();
  uint64_t most = 0;
  for (int i = 0; i < 1000; ++i) {
    std::thread(AllocateInThread).join();
    most = std::max(most, uint64_t{Stats().threads});
  }
  // Never many more of ended threads than of live ones.
  EXPECT_LE(most, 2 * kLive + 64);
  stop = true;
  for (std::thread& thread : live) thread.join();
  EXPECT_EQ(wrong, 0);
  const hakmem_stats_t after = CollectedStats();
  EXPECT_EQ(after.threads, 1u);
  EXPECT_EQ(HeapProblems(), 0);
}

TEST(KeylessThreadsTest, ManyBeginAndEndAtOnce) {
  std::vector<std::thread> starters;
  for (int i = 0; i < 4; ++i) {
    starters.emplace_back([] {
      for (int n = 0; n < 300; ++n) std::thread(AllocateInThread).join();
    });
  }
  for (std::thread& thread : starters) thread.join();
  EXPECT_LE(Stats().threads, 64u);
  EXPECT_EQ(CollectedStats().threads, 1u);
  EXPECT_EQ(HeapProblems(), 0);
}

}  // namespace
}  // namespace hakmem_test
