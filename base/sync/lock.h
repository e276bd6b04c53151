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
//
// A thread that holds every lock, as fork does, may take any of them again: it
// has waited for all critical sections to end, so every structure is whole, and
// nobody else can change one. It then neither takes nor releases a lock, and so
// may allocate and free (HoldsEveryLock). For this to be safe, whoever takes
// every lock must leave none out: each Mutex that another thread can reach.
#ifndef HAKMEM_BASE_SYNC_LOCK_H_
#define HAKMEM_BASE_SYNC_LOCK_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "base/sync/futex_lock.h"
#include "base/sync/scoped_lock.h"
#include "base/sync/single_thread.h"

namespace hakmem {

// Whether the calling thread may hold a Mutex or wait for one. Outside a signal
// handler, a thread knows; in one, no means that no lock is this thread's.
inline bool ThreadMayHoldLocks() {
  // relaxed: the thread's own.
  return internal::locks_counted.load(std::memory_order_relaxed) != 0;
}

// Whether the calling thread holds every lock.
inline bool HoldsEveryLock() {
  return (internal::locks_counted.load(std::memory_order_relaxed) &
          internal::kHoldsEveryLock) != 0;
}

// The same, and is in no critical section: it has taken none of them again.
inline bool OnlyHoldsEveryLock() {
  return internal::locks_counted.load(std::memory_order_relaxed) ==
         internal::kHoldsEveryLock;
}

// To be called by a thread that has just taken every lock, and none but these,
inline void BeginHoldingEveryLock() {
  internal::SetLocksCounted(internal::kHoldsEveryLock);
}

// when it is about to release them,
inline void EndHoldingEveryLock() {
  internal::SetLocksCounted(internal::kReleasesEveryLock);
}

// and when it has. Locks that were made in between are released but were never
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

  // Releasing a lock that is free does nothing.
  void Unlock() ABSL_UNLOCK_FUNCTION() {
    if (!HoldsEveryLock()) [[likely]] {
      Release();
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
