// Mutex: the lock of every shared structure in the allocator.
//
// One 32-bit futex word, constant-initialised, so it works before any
// constructor ran; it allocates nothing and keeps errno. A process with one
// thread pays for no atomic read-modify-write (single_thread.h). Every lock can
// be held over fork: the forking thread takes all of them in the written lock
// order (docs/design.md, "Lock order") and releases them on both sides.
#ifndef HAKMEM_BASE_LOCK_H_
#define HAKMEM_BASE_LOCK_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "base/futex_lock.h"
#include "base/single_thread.h"

namespace hakmem {

class ABSL_LOCKABLE Mutex {
 public:
  constexpr Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() {
    if (IsSingleThreaded() && IsFree()) {
      word_.store(futex_lock::kHeld, std::memory_order_relaxed);
      return;
    }
    if (!futex_lock::TryLock(word_)) LockSlow();
  }

  bool TryLock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    if (IsSingleThreaded() && IsFree()) {
      word_.store(futex_lock::kHeld, std::memory_order_relaxed);
      return true;
    }
    return futex_lock::TryLock(word_);
  }

  void Unlock() ABSL_UNLOCK_FUNCTION() {
    if (IsSingleThreaded()) {
      word_.store(futex_lock::kFree, std::memory_order_relaxed);
      return;
    }
    if (futex_lock::Unlock(word_)) Wake();
  }

 private:
  // relaxed: asked only while there is no other thread.
  bool IsFree() const {
    return word_.load(std::memory_order_relaxed) == futex_lock::kFree;
  }

  void LockSlow() ABSL_NO_THREAD_SAFETY_ANALYSIS;
  void Wake();

  std::atomic<uint32_t> word_{futex_lock::kFree};
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex)
      : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace hakmem

#endif  // HAKMEM_BASE_LOCK_H_
