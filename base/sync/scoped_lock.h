// ScopedLock: holds a lock while it is in scope. MutexLock (lock.h) is the one
// that all code names; a test puts a lock of its own in the place of Mutex
// (tests/interleaving/in_place_of_lock.h).
#ifndef HAKMEM_BASE_SYNC_SCOPED_LOCK_H_
#define HAKMEM_BASE_SYNC_SCOPED_LOCK_H_

#include "absl/base/thread_annotations.h"

namespace hakmem {

template <typename Lock>
class ABSL_SCOPED_LOCKABLE ScopedLock {
 public:
  explicit ScopedLock(Lock& lock) ABSL_EXCLUSIVE_LOCK_FUNCTION(lock)
      : lock_(lock) {
    lock_.Lock();
  }
  ~ScopedLock() ABSL_UNLOCK_FUNCTION() { lock_.Unlock(); }
  ScopedLock(const ScopedLock&) = delete;
  ScopedLock& operator=(const ScopedLock&) = delete;

 private:
  Lock& lock_;
};

}  // namespace hakmem

#endif  // HAKMEM_BASE_SYNC_SCOPED_LOCK_H_
