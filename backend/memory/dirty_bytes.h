// Bytes of free memory that are still resident ("dirty"), summed over all
// parts. Threads read it to decide whether to watch the clock (thread_cache.h).
#ifndef HAKMEM_BACKEND_MEMORY_DIRTY_BYTES_H_
#define HAKMEM_BACKEND_MEMORY_DIRTY_BYTES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace hakmem {

class DirtyBytes {
 public:
  // relaxed throughout: the sum is a hint, it orders nothing.
  static void Add(size_t bytes) {
    bytes_.fetch_add(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  }
  static void Subtract(size_t bytes) {
    bytes_.fetch_sub(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  }
  // The page heap keeps its own sum under its lock, and publishes it here.
  static void SetSpans(size_t bytes) {
    span_bytes_.store(bytes, std::memory_order_relaxed);
  }
  // Free chunks are counted by themselves too: only they can be purged before
  // they are due.
  static void AddOfChunk(size_t bytes) {
    Add(bytes);
    chunk_bytes_.fetch_add(static_cast<int64_t>(bytes),
                           std::memory_order_relaxed);
  }
  static void SubtractOfChunk(size_t bytes) {
    Subtract(bytes);
    chunk_bytes_.fetch_sub(static_cast<int64_t>(bytes),
                           std::memory_order_relaxed);
  }
  // Free pages of slabs in use, which may be of use soon, are not in the sums
  // above. `bytes` may be negative.
  static void AddIdle(int64_t bytes) {
    idle_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }
  static size_t Idle() {
    const int64_t bytes = idle_bytes_.load(std::memory_order_relaxed);
    return bytes > 0 ? static_cast<size_t>(bytes) : 0;
  }
  static size_t OfChunks() {
    const int64_t bytes = chunk_bytes_.load(std::memory_order_relaxed);
    return bytes > 0 ? static_cast<size_t>(bytes) : 0;
  }
  // Whether the sums equal these, for heap checks.
  static bool Is(size_t bytes, size_t span_bytes) {
    return bytes_.load(std::memory_order_relaxed) ==
               static_cast<int64_t>(bytes) &&
           span_bytes_.load(std::memory_order_relaxed) == span_bytes;
  }
  // In bytes; may lag behind other threads.
  static size_t Bytes() {
    const int64_t bytes = bytes_.load(std::memory_order_relaxed);
    return span_bytes_.load(std::memory_order_relaxed) +
           (bytes > 0 ? static_cast<size_t>(bytes) : 0);
  }

 private:
  static inline constinit std::atomic<int64_t> bytes_{0};
  static inline constinit std::atomic<int64_t> chunk_bytes_{0};  // of bytes_
  static inline constinit std::atomic<int64_t> idle_bytes_{0};
  static inline constinit std::atomic<size_t> span_bytes_{0};
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_DIRTY_BYTES_H_
