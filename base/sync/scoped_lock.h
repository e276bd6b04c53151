// ScopedLock: holds a lock while it is in scope. Code uses MutexLock (lock.h);
// a test replaces Mutex with a lock of its own
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
