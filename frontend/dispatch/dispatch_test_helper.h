// What several tests of the allocator from inside do with it.
#ifndef HAKMEM_FRONTEND_DISPATCH_DISPATCH_TEST_HELPER_H_
#define HAKMEM_FRONTEND_DISPATCH_DISPATCH_TEST_HELPER_H_

#include <atomic>
#include <cstddef>
#include <cstring>
#include <thread>
#include <vector>

#include "frontend/dispatch/allocator.h"
#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"

namespace hakmem {

// As in malloc.cc.

inline void* Malloc(size_t bytes) {
  void* block = PopFromBins(bytes);
  return block != nullptr ? block
                          : AllocateSlow(bytes, CallOf(HAKMEM_ENTRY_MALLOC));
}

inline void* Calloc(size_t bytes) {
  void* block = PopFromBins(bytes);
  return block != nullptr ? memset(block, 0, bytes)
                          : AllocateZeroed(bytes, CallOf(HAKMEM_ENTRY_CALLOC));
}

inline void Free(void* block) {
  if (!PushToBins(block)) FreeSlow(block, CallOf(HAKMEM_ENTRY_NONE));
}

// This thread allocates blocks, and another frees them, which allocates none.
inline void PassInOneDirection() {
  constexpr size_t kPlaces = 512;
  constexpr size_t kBlocks = 60'000;
  std::vector<std::atomic<void*>> ring(kPlaces);
  std::thread receiver([&] {
    for (size_t i = 0; i < kBlocks; ++i) {
      void* block = nullptr;
      while ((block = ring[i % kPlaces].exchange(
                  nullptr, std::memory_order_acquire)) == nullptr) {
        std::this_thread::yield();
      }
      EXPECT_TRUE(hakmem_test::Holds(block, 24, i));
      Free(block);
    }
  });
  for (size_t i = 0; i < kBlocks; ++i) {
    void* block = Malloc(24 + i % 200);
    hakmem_test::Fill(block, 24, i);
    while (ring[i % kPlaces].load(std::memory_order_relaxed) != nullptr) {
      std::this_thread::yield();
    }
    ring[i % kPlaces].store(block, std::memory_order_release);
  }
  receiver.join();
}

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_DISPATCH_DISPATCH_TEST_HELPER_H_
