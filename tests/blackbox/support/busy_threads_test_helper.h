// Threads that allocate and free blocks of every kind while a test does
// something difficult.
#ifndef HAKMEM_TESTS_BLACKBOX_SUPPORT_BUSY_THREADS_TEST_HELPER_H_
#define HAKMEM_TESTS_BLACKBOX_SUPPORT_BUSY_THREADS_TEST_HELPER_H_

#include <dlfcn.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {

struct Held {
  void* block;
  size_t size;
};

// Allocates and frees blocks of every kind; false if one lost its contents.
inline bool AllocateAndFree(uint64_t seed, int steps) {
  std::mt19937_64 random(seed);
  Held all[64] = {};
  bool right = true;
  for (int i = 0; i < steps; ++i) {
    Held& held = all[random() % 64];
    if (held.block != nullptr) {
      right = right && Holds(held.block, held.size, held.size);
      free(held.block);
    }
    held.size = AnySize(random);
    held.block = malloc(held.size);
    if (held.block == nullptr) abort();
    Fill(held.block, held.size, held.size);
  }
  for (const Held& held : all) free(held.block);
  return right;
}

// Threads that allocate until this goes out of scope.
class BusyThreads {
 public:
  explicit BusyThreads(int count) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this, i, count] {
        for (uint64_t round = 0; !stop_; ++round) {
          if (!AllocateAndFree(round * count + i, 200)) wrong_ = true;
          if (round % 50 == 0) Hakmem().collect();
          ++rounds_;
        }
      });
    }
  }
  ~BusyThreads() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    EXPECT_FALSE(wrong_);
    EXPECT_GT(rounds_, 0u);
  }

  // For pthread_kill: the thread runs as long as this object lives.
  pthread_t thread(size_t i) {
    return threads_[i % threads_.size()].native_handle();
  }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<bool> wrong_ = false;
  std::atomic<uint64_t> rounds_ = 0;
  std::vector<std::thread> threads_;
};

// The problems found by the library's heap check; 0 if there are none, or this
// library has no such check. Other threads must be quiet.
inline int HeapProblems() {
  const auto check =
      reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "hakmem_check_heap"));
  return check == nullptr ? 0 : check();
}

// Expects that no more is in use than `before`, and that the heap is
// consistent. Other threads must have freed their blocks.
inline void ExpectHeapVerifies(const hakmem_stats_t& before) {
  const hakmem_stats_t after = CollectedStats();
  EXPECT_EQ(after.live_bytes, before.live_bytes);
  EXPECT_EQ(after.threads, before.threads);
  EXPECT_EQ(HeapProblems(), 0);
}

}  // namespace hakmem_test

#endif  // HAKMEM_TESTS_BLACKBOX_SUPPORT_BUSY_THREADS_TEST_HELPER_H_
