// BinsLock: held by a thread while it uses its own bins_, if those are a
// reserve that other threads may empty (thread_cache.h).
#ifndef HAKMEM_FRONTEND_THREAD_CACHE_THREAD_CACHE_BINS_LOCK_H_
#define HAKMEM_FRONTEND_THREAD_CACHE_THREAD_CACHE_BINS_LOCK_H_

#include "absl/base/thread_annotations.h"
#include "frontend/thread_cache/thread_cache.h"

namespace hakmem {

class ABSL_SCOPED_LOCKABLE ThreadCache::BinsLock {
 public:
  explicit BinsLock(ThreadCache& cache)
      ABSL_EXCLUSIVE_LOCK_FUNCTION(cache.reserve_mutex_)
          ABSL_NO_THREAD_SAFETY_ANALYSIS
      : mutex_(cache.KeepsReserve() ? &cache.reserve_mutex_ : nullptr) {
    if (mutex_ != nullptr) mutex_->Lock();
  }
  ~BinsLock() ABSL_UNLOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (mutex_ != nullptr) mutex_->Unlock();
  }
  BinsLock(const BinsLock&) = delete;
  BinsLock& operator=(const BinsLock&) = delete;

 private:
  Mutex* const mutex_;
};

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_THREAD_CACHE_THREAD_CACHE_BINS_LOCK_H_
