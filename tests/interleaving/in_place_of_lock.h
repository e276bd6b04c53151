// Replaces base/sync/lock.h, which must not have been included yet, by a lock
// of the interleaver: one step to take, one to release.
// base/sync/lock_model_test shows that the real lock behaves like it.
#ifndef HAKMEM_TESTS_INTERLEAVING_IN_PLACE_OF_LOCK_H_
#define HAKMEM_TESTS_INTERLEAVING_IN_PLACE_OF_LOCK_H_

#ifdef HAKMEM_BASE_SYNC_LOCK_H_
#error "base/sync/lock.h was included before what takes its place"
#endif
#define HAKMEM_BASE_SYNC_LOCK_H_

#include "absl/base/thread_annotations.h"
#include "base/sync/scoped_lock.h"
#include "tests/interleaving/atomic.h"

namespace hakmem {

class ABSL_LOCKABLE Mutex {
 public:
  constexpr Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { lock_.Take(); }
  bool TryLock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    return lock_.TryTake();
  }
  void Unlock() ABSL_UNLOCK_FUNCTION() { lock_.Release(); }

 private:
  ::interleaver::Lock lock_;
};

using MutexLock = ScopedLock<Mutex>;

}  // namespace hakmem

#endif  // HAKMEM_TESTS_INTERLEAVING_IN_PLACE_OF_LOCK_H_
