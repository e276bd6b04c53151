// Fills and checks blocks, and other small helpers of several tests.
#ifndef HAKMEM_TESTS_BLACKBOX_SUPPORT_BLOCK_TEST_HELPER_H_
#define HAKMEM_TESTS_BLACKBOX_SUPPORT_BLOCK_TEST_HELPER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace hakmem_test {

inline constexpr size_t kKiB = 1024;
inline constexpr size_t kMiB = 1024 * kKiB;

inline uint64_t PatternWord(uint64_t seed, size_t index) {
  return (seed + index) * 0x9e3779b97f4a7c15u;
}

// Fills `size` bytes with values that depend on `seed` and the offset.
inline void Fill(void* block, size_t size, uint64_t seed) {
  char* bytes = static_cast<char*>(block);
  size_t at = 0;
  for (; at + 8 <= size; at += 8) {
    const uint64_t word = PatternWord(seed, at);
    memcpy(bytes + at, &word, 8);
  }
  if (at == size) return;
  const uint64_t word = PatternWord(seed, at);
  memcpy(bytes + at, &word, size - at);
}

// Whether the first `size` bytes are as Fill wrote them, for at least `size`
// bytes.
inline bool Holds(const void* block, size_t size, uint64_t seed) {
  const char* bytes = static_cast<const char*>(block);
  size_t at = 0;
  for (; at + 8 <= size; at += 8) {
    const uint64_t word = PatternWord(seed, at);
    if (memcmp(bytes + at, &word, 8) != 0) return false;
  }
  if (at == size) return true;  // also for a null block
  const uint64_t word = PatternWord(seed, at);
  return memcmp(bytes + at, &word, size - at) == 0;
}

// Whether all `size` bytes are zero.
inline bool IsZero(const void* block, size_t size) {
  const char* bytes = static_cast<const char*>(block);
  if (size == 0) return true;
  // Each byte equals the one before it, and the first is 0.
  return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

inline bool IsAligned(const void* block, size_t alignment) {
  return reinterpret_cast<uintptr_t>(block) % alignment == 0;
}

// A size in a distribution like programs': mostly small, sometimes some pages,
// rarely large.
inline size_t AnySize(std::mt19937_64& random) {
  const uint64_t dice = random() % 1000;
  if (dice < 900) return random() % 1100;
  if (dice < 990) return random() % (32 * kKiB);
  if (dice < 999) return random() % (512 * kKiB);
  return random() % (4 * kMiB);
}

// Blocks linked through their first word: any number of them needs no extra
// memory, and each is touched.
class BlockChain {
 public:
  void Push(void* block) {
    *static_cast<void**>(block) = head_;
    head_ = block;
    ++count_;
  }
  // The block pushed last, or nullptr.
  void* Pop() {
    void* block = head_;
    if (block != nullptr) {
      head_ = *static_cast<void**>(block);
      --count_;
    }
    return block;
  }
  size_t count() const { return count_; }

 private:
  void* head_ = nullptr;
  size_t count_ = 0;
};

// Runs `count` threads at once. libc reuses some of its allocations for later
// threads: after this, it needs no more.
inline void WarmUpThreads(size_t count) {
  std::atomic<size_t> running = 0;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i) {
    threads.emplace_back([&] {
      ++running;
      while (running < count) std::this_thread::yield();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace hakmem_test

#endif  // HAKMEM_TESTS_BLACKBOX_SUPPORT_BLOCK_TEST_HELPER_H_
