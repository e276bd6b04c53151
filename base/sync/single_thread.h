// Whether the process has one thread: then nobody is there to exclude, and an
// atomic read-modify-write, which waits for every store before it to reach the
// cache, can be a plain one. (glibc's own malloc does the same.)
//
// The C library's word alone does not do: a second C library in the same
// process (an LD_AUDIT tool, a plugin opened by dlmopen) makes threads that the
// first one does not know. So each thread that comes here is remembered too,
// and the first one told of the second before that takes a lock
// (only_thread.h).
#ifndef HAKMEM_BASE_SYNC_SINGLE_THREAD_H_
#define HAKMEM_BASE_SYNC_SINGLE_THREAD_H_

#include <atomic>
#include <cstdint>

#include "base/sync/only_thread.h"

// glibc's, since 2.32: true only while the calling thread is the only one that
// it made. Null, and the answer no, where the C library has none.
extern "C" __attribute__((weak)) char __libc_single_threaded;

namespace hakmem {
namespace internal {

// Locks that this thread holds, is about to take or has just released. Written
// only by the thread itself; what interrupts it reads it, and another thread
// that waits for it in only_thread::Enter. While the thread holds every lock
// (lock.h), the count is of those that it takes again.
extern constinit thread_local std::atomic<uint32_t> locks_counted;

// Bits of the word above: the thread holds every lock, or releases them.
inline constexpr uint32_t kHoldsEveryLock = 1u << 31;
inline constexpr uint32_t kReleasesEveryLock = 1u << 30;

extern constinit std::atomic<uintptr_t> only_thread_word;

inline uintptr_t ThisThreadsName() {
  return reinterpret_cast<uintptr_t>(&locks_counted);
}

inline bool LibraryKnowsOneThread() {
  return &__libc_single_threaded != nullptr && __libc_single_threaded != 0;
}

// Enter of only_thread.h.
[[gnu::cold]] bool EnterAsThread();

// The fences keep the compiler from moving the count across what is done with
// the lock: a signal handler must never find a lock that is held and not
// counted. For other threads they pair with fence_all in only_thread::Enter,
// which has the processor do the rest. Returns whether the lock is to be taken:
// not when the thread holds every lock.
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

// Whether the calling thread is alone. To be called with no lock held; the
// answer yes holds for what is done inside CountLock and UncountLock. May wait
// until another thread has released its locks.
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

// To be called by a thread that begins, before it takes a lock.
void ThreadBegins();

// To be called by a thread that ends: its counter must not be looked at again.
void ThreadEnds();

// To be called in the child of a fork, which has one thread, whatever there was
// before.
void OnlyThreadInChild();

}  // namespace hakmem

#endif  // HAKMEM_BASE_SYNC_SINGLE_THREAD_H_
