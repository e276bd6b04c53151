// Detects single-threaded processes: they need no mutual exclusion, and an
// atomic read-modify-write, which waits until all earlier stores have reached
// the cache, can be a plain one. (glibc's own malloc does the same.)
//
// glibc's flag alone is not enough: a second C library in the process (an
// LD_AUDIT tool, a plugin opened by dlmopen) starts threads that the first one
// does not know of. So each thread that arrives here is recorded too, and the
// second informs the first before it takes a lock (only_thread.h).
#ifndef HAKMEM_BASE_SYNC_SINGLE_THREAD_H_
#define HAKMEM_BASE_SYNC_SINGLE_THREAD_H_

#include <atomic>
#include <cstdint>

#include "base/sync/only_thread.h"

// glibc's flag, since 2.32: true only while the calling thread is the only one
// that glibc started. Null, and treated as false, in other C libraries.
extern "C" __attribute__((weak)) char __libc_single_threaded;

namespace hakmem {
namespace internal {

// The number of locks that this thread holds, is about to take or has just
// released. Written only by the thread itself; read by signal handlers on it,
// and by another thread that waits for it in only_thread::Enter. While the
// thread holds every lock (lock.h), counts those that it takes again.
extern constinit thread_local std::atomic<uint32_t> locks_counted;

// Flags in the word above: the thread holds every lock, or releases them.
inline constexpr uint32_t kHoldsEveryLock = 1u << 31;
inline constexpr uint32_t kReleasesEveryLock = 1u << 30;

extern constinit std::atomic<uintptr_t> only_thread_word;

inline uintptr_t ThisThreadsName() {
  return reinterpret_cast<uintptr_t>(&locks_counted);
}

inline bool LibraryKnowsOneThread() {
  return &__libc_single_threaded != nullptr && __libc_single_threaded != 0;
}

// Calls Enter of only_thread.h.
[[gnu::cold]] bool EnterAsThread();

// The fences keep the compiler from moving the count across accesses to the
// lock: a signal handler must never find a lock held but not counted. Between
// threads they pair with fence_all in only_thread::Enter, which supplies the
// CPU's fence. Returns whether to take the lock: false when the thread holds
// every lock.
inline bool CountLock() {
  // relaxed: see above.
  const uint32_t before = locks_counted.load(std::memory_order_relaxed);
  locks_counted.store(before + 1, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return (before & kHoldsEveryLock) == 0;
}

inline void SetLocksCounted(uint32_t count) {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  // release: pairs with the acquire of the thread that waits in
  // only_thread::Enter.
  locks_counted.store(count, std::memory_order_release);
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

inline void UncountLock() {
  SetLocksCounted(locks_counted.load(std::memory_order_relaxed) - 1);
}

}  // namespace internal

// Whether the calling thread is alone. To be called with no lock held; true
// holds for operations between CountLock and UncountLock. May wait until
// another thread has released its locks.
inline bool IsSingleThreaded() {
  return internal::LibraryKnowsOneThread() &&
         (only_thread::IsNamed(internal::only_thread_word,
                               internal::ThisThreadsName()) ||
          internal::EnterAsThread());
}

// The same with a lock held. Never waits.
inline bool IsStillSingleThreaded() {
  return internal::LibraryKnowsOneThread() &&
         only_thread::IsNamed(internal::only_thread_word,
                              internal::ThisThreadsName());
}

// To be called by a new thread before it takes a lock.
void ThreadBegins();

// To be called by a thread that ends: its counter must not be read again.
void ThreadEnds();

// To be called in the child of a fork, which has one thread.
void OnlyThreadInChild();

}  // namespace hakmem

#endif  // HAKMEM_BASE_SYNC_SINGLE_THREAD_H_
