// Mutex: the lock of every shared structure in the allocator.
//
// One 32-bit futex word, constant-initialised, so it works before any
// constructor ran; it allocates nothing and keeps errno. A process with one
// thread pays for no atomic read-modify-write (single_thread.h). Every lock can
// be held over fork: the forking thread takes all of them in the written lock
// order (docs/design.md, "Lock order") and releases them on both sides.
//
// Each thread counts the locks that it has, so that a fork in a signal handler
// can tell that it interrupted a critical section of its own thread, whose lock
// it would wait for in vain (ThreadMayHoldLocks).
#ifndef HAKMEM_BASE_LOCK_H_
#define HAKMEM_BASE_LOCK_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "base/futex_lock.h"
#include "base/scoped_lock.h"
#include "base/single_thread.h"

namespace hakmem {

// Whether the calling thread may hold a Mutex or wait for one. Outside a signal
// handler, a thread knows; in one, no means that no lock is this thread's.
inline bool ThreadMayHoldLocks() {
  // relaxed: the thread's own.
  return internal::locks_counted.load(std::memory_order_relaxed) != 0;
}

class ABSL_LOCKABLE Mutex {
 public:
  constexpr Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    internal::CountLock();
    if (!Take()) LockSlow();
  }

  bool TryLock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    internal::CountLock();
    if (Take()) return true;
    internal::UncountLock();
    return false;
  }

  void Unlock() ABSL_UNLOCK_FUNCTION() {
    if (IsStillSingleThreaded()) {
      word_.store(futex_lock::kFree, std::memory_order_relaxed);
    } else if (futex_lock::Unlock(word_)) {
      Wake();
    }
    internal::UncountLock();
  }

 private:
  // relaxed: asked only while there is no other thread.
  bool IsFree() const {
    return word_.load(std::memory_order_relaxed) == futex_lock::kFree;
  }

  // Takes the lock if it is free.
  bool Take() {
    if (IsSingleThreaded() && IsFree()) {
      word_.store(futex_lock::kHeld, std::memory_order_relaxed);
      return true;
    }
    return futex_lock::TryLock(word_);
  }

  void LockSlow() ABSL_NO_THREAD_SAFETY_ANALYSIS;
  void Wake();

  std::atomic<uint32_t> word_{futex_lock::kFree};
};

using MutexLock = ScopedLock<Mutex>;

}  // namespace hakmem

#endif  // HAKMEM_BASE_LOCK_H_
