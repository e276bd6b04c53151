// Mutex: the lock of every shared structure in the allocator.
//
// One 32-bit futex word, constant-initialised, so it works before any
// constructor ran; allocates nothing, keeps errno. A process with one thread
// pays for no atomic read-modify-write (single_thread.h). Every lock can be
// held over fork: the forking thread takes all of them in the written lock
// order (docs/design.md, "Lock order") and releases them on both sides.
//
// Each thread counts the locks that it holds. A fork in a signal handler can
// thus detect that it interrupted a critical section of its own thread, on
// whose lock it would deadlock (ThreadMayHoldLocks).
//
// A thread that holds every lock, as fork does, may take any of them again: all
// critical sections have ended, so every structure is consistent, and no other
// thread can change one. It then neither takes nor releases locks, and so may
// allocate and free (HoldsEveryLock). This requires that whoever takes every
// lock takes every Mutex that another thread can reach.
#ifndef HAKMEM_BASE_SYNC_LOCK_H_
#define HAKMEM_BASE_SYNC_LOCK_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "base/sync/futex_lock.h"
#include "base/sync/scoped_lock.h"
#include "base/sync/single_thread.h"

namespace hakmem {

// Whether the calling thread may hold a Mutex or wait for one. Exact outside a
// signal handler; inside one, false means that this thread holds no lock.
inline bool ThreadMayHoldLocks() {
  // relaxed: written by this thread only.
  return internal::locks_counted.load(std::memory_order_relaxed) != 0;
}

// Whether the calling thread holds every lock.
inline bool HoldsEveryLock() {
  return (internal::locks_counted.load(std::memory_order_relaxed) &
          internal::kHoldsEveryLock) != 0;
}

// HoldsEveryLock, and in no critical section: none is taken again.
inline bool HoldsEveryLockOnce() {
  return internal::locks_counted.load(std::memory_order_relaxed) ==
         internal::kHoldsEveryLock;
}

// To be called right after taking every lock, and no others,
inline void BeginHoldingEveryLock() {
  internal::SetLocksCounted(internal::kHoldsEveryLock);
}

// right before releasing them,
inline void EndHoldingEveryLock() {
  internal::SetLocksCounted(internal::kReleasesEveryLock);
}

// and right after. Locks created in between are released without having been
// taken, so the count is set, not counted down.
inline void EndReleasingEveryLock() { internal::SetLocksCounted(0); }

class ABSL_LOCKABLE Mutex {
 public:
  constexpr Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    if (!internal::CountLock()) [[unlikely]] {
      return;
    }
    if (!Take()) LockSlow();
  }

  bool TryLock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    if (!internal::CountLock() || Take()) return true;
    internal::UncountLock();
    return false;
  }

  // No effect on a lock that is free.
  void Unlock() ABSL_UNLOCK_FUNCTION() {
    if (!HoldsEveryLock()) [[likely]] {
      Release();
    }
    internal::UncountLock();
  }

 private:
  // relaxed: called only while there is no other thread.
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

  void Release() {
    if (IsStillSingleThreaded()) {
      word_.store(futex_lock::kFree, std::memory_order_relaxed);
    } else if (futex_lock::Unlock(word_)) {
      Wake();
    }
  }

  void LockSlow() ABSL_NO_THREAD_SAFETY_ANALYSIS;
  void Wake();

  std::atomic<uint32_t> word_{futex_lock::kFree};
};

using MutexLock = ScopedLock<Mutex>;

}  // namespace hakmem

#endif  // HAKMEM_BASE_SYNC_LOCK_H_
