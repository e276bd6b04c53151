// ParkedCaches: the caches of ended threads that wait for the next threads
// (thread_cache.h), newest first: what that one's blocks touch is most likely
// still in the CPU's caches.
#ifndef HAKMEM_FRONTEND_THREAD_CACHE_PARKED_CACHES_H_
#define HAKMEM_FRONTEND_THREAD_CACHE_PARKED_CACHES_H_

#include <atomic>
#include <cstddef>

#include "base/os/processors.h"
#include "frontend/thread_cache/thread_cache.h"

namespace hakmem {

// Not thread-safe, except for count.
class ParkedCaches {
 public:
  // Threads that run at once are about as many as processors, and as many may
  // end before the next begin.
  static constexpr size_t kMaxPerProcessor = 2;

  // relaxed: a hint to those who do not hold the lock.
  size_t count() const { return count_.load(std::memory_order_relaxed); }
  bool IsFull() const { return count() >= kMaxPerProcessor * Processors(); }

  ThreadCache* newest() const { return newest_; }

  void Add(ThreadCache* cache) {
    cache->pool_next = newest_;
    newest_ = cache;
    count_.store(count() + 1, std::memory_order_relaxed);
  }

  // `cache` must be here.
  void Remove(ThreadCache* cache) {
    ThreadCache** link = &newest_;
    while (*link != cache) link = &(*link)->pool_next;
    *link = cache->pool_next;
    count_.store(count() - 1, std::memory_order_relaxed);
  }

 private:
  ThreadCache* newest_ = nullptr;  // linked by pool_next
  std::atomic<size_t> count_{0};
};

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_THREAD_CACHE_PARKED_CACHES_H_
