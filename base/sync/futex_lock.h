// The protocol of Mutex (lock.h): a lock of three states in one futex word.
//
//   kFree ──Lock──► kHeld ──another waits──► kWaitedFor
//     ▲                │                          │
//     └────Unlock──────┴───Unlock, and a Wake─────┘
//
// The mutex of Drepper, "Futexes Are Tricky" (2005). A template over the word
// and the system, so that a test can run the same source under every
// interleaving (lock_model_test.cc).
#ifndef HAKMEM_BASE_SYNC_FUTEX_LOCK_H_
#define HAKMEM_BASE_SYNC_FUTEX_LOCK_H_

#include <atomic>
#include <cstdint>

namespace hakmem::futex_lock {

inline constexpr uint32_t kFree = 0;
inline constexpr uint32_t kHeld = 1;
inline constexpr uint32_t kWaitedFor = 2;  // held, and a thread may sleep

template <typename Word>
bool TryLock(Word& word) {
  uint32_t expected = kFree;
  // acquire: pairs with the release in Unlock.
  return word.compare_exchange_strong(
      expected, kHeld, std::memory_order_acquire, std::memory_order_relaxed);
}

// To be called when TryLock has failed. Retries `spins` times, with relax()
// before each; then sleeps by wait(word, value), which returns when woken or if
// the word is not `value`, and may return spuriously.
template <typename Word, typename Relax, typename Wait>
void LockSlow(Word& word, int spins, Relax&& relax, Wait&& wait) {
  for (int i = 0; i < spins; ++i) {
    relax();
    if (word.load(std::memory_order_relaxed) == kFree && TryLock(word)) return;
  }
  // acquire: pairs with the release in Unlock.
  while (word.exchange(kWaitedFor, std::memory_order_acquire) != kFree) {
    wait(word, kWaitedFor);
  }
}

// Releases the lock; returns whether a sleeping thread must be woken.
template <typename Word>
bool Unlock(Word& word) {
  // release: pairs with the acquire in TryLock and LockSlow.
  return word.exchange(kFree, std::memory_order_release) == kWaitedFor;
}

}  // namespace hakmem::futex_lock

#endif  // HAKMEM_BASE_SYNC_FUTEX_LOCK_H_
