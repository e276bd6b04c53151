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
#ifndef HAKMEM_BASE_LOCK_H_
#define HAKMEM_BASE_LOCK_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "base/futex_lock.h"
#include "base/scoped_lock.h"
#include "base/single_thread.h"

namespace hakmem {
namespace internal {

// Locks that this thread holds, is about to take or has just released. Read
// only by the thread itself and by what interrupts it. While the thread holds
// every lock, the count is of those that it takes again.
extern constinit thread_local uint32_t locks_counted;

// Bits of the word above: the thread holds every lock, or releases them.
inline constexpr uint32_t kHoldsEveryLock = 1u << 31;
inline constexpr uint32_t kReleasesEveryLock = 1u << 30;

// The fences keep the compiler from moving the count across the lock: a signal
// handler must never find a lock that is held and not counted. Returns whether
// the lock is to be taken: not when the thread holds every lock.
inline bool CountLock() {
  const uint32_t before = locks_counted;
  locks_counted = before + 1;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return (before & kHoldsEveryLock) == 0;
}

inline void UncountLock() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  locks_counted = locks_counted - 1;
}

}  // namespace internal

// Whether the calling thread may hold a Mutex or wait for one. Outside a signal
// handler, a thread knows; in one, no means that no lock is this thread's.
inline bool ThreadMayHoldLocks() { return internal::locks_counted != 0; }

// Whether the calling thread holds every lock.
inline bool HoldsEveryLock() {
  return (internal::locks_counted & internal::kHoldsEveryLock) != 0;
}

// The same, and is in no critical section: it has taken none of them again.
inline bool OnlyHoldsEveryLock() {
  return internal::locks_counted == internal::kHoldsEveryLock;
}

// To be called by a thread that has just taken every lock, and none but these,
inline void BeginHoldingEveryLock() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  internal::locks_counted = internal::kHoldsEveryLock;
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

// when it is about to release them,
inline void EndHoldingEveryLock() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  internal::locks_counted = internal::kReleasesEveryLock;
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

// and when it has. Locks that were made in between are released but were never
// taken, so the count is set, not counted down.
inline void EndReleasingEveryLock() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  internal::locks_counted = 0;
}

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
    if (IsSingleThreaded()) {
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

#endif  // HAKMEM_BASE_LOCK_H_
