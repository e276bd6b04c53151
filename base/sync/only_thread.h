// The protocol of IsSingleThreaded (single_thread.h): the only thread uses
// plain stores instead of atomic operations, and stops when a second thread
// joins.
//
//   kNobody ──first thread──► its counter ──second──► its counter | kConfirmed
//   ──counter is 0──► kSeveral
//
// The word names the only known thread by the address of its counter: the
// number of locks it holds, is taking or has just released. Between counting a
// lock up and down again, this thread may use plain stores in place of atomic
// operations, provided that it has read its own name after counting up. A
// second thread marks the word, has every thread pass a fence, and waits until
// the counter is 0. Either the first thread read its name before the fence, and
// then its count is seen; or it reads the mark.
//
// This is Dekker's handshake with all of the cost on one side (cf. Dice, Huang
// and Yang, "Asymmetric Dekker Synchronization", 2001; biased locks). A
// template over the word and the system, so that a test can run the same source
// under every interleaving (only_thread_model_test.cc).
#ifndef HAKMEM_BASE_SYNC_ONLY_THREAD_H_
#define HAKMEM_BASE_SYNC_ONLY_THREAD_H_

#include <atomic>
#include <cstdint>

namespace hakmem::only_thread {

inline constexpr uintptr_t kNobody = 0;
inline constexpr uintptr_t kSeveral = 2;
// A flag in the counter's address, which is a multiple of 4.
inline constexpr uintptr_t kConfirmed = 1;

// Whether the word names `self`: then the calling thread is alone until it
// counts its lock down. To be called after counting it up, and a fence that
// pairs with the fence of every thread in Enter.
template <typename Word>
bool IsNamed(const Word& word, uintptr_t self) {
  // relaxed: ordered by the fences.
  return word.load(std::memory_order_relaxed) == self;
}

// To be called when the word does not name `self`. Returns whether the calling
// thread, which holds no lock, is the only one; otherwise the thread that was
// has been informed. locks_of(name) reads that thread's counter, with acquire;
// fence_all() has every thread pass a fence; pause() lets others run.
template <typename Word, typename LocksOf, typename FenceAll, typename Pause>
bool Enter(Word& word, uintptr_t self, LocksOf&& locks_of, FenceAll&& fence_all,
           Pause&& pause) {
  // acquire: pairs with the release below, by a thread that has waited.
  uintptr_t named = word.load(std::memory_order_acquire);
  for (;;) {
    if (named == self) return true;
    if (named == kSeveral || named == (self | kConfirmed)) return false;
    const bool is_nobody = named == kNobody;
    if (!is_nobody && (named & kConfirmed) != 0) break;
    // relaxed: ordered by the fences that follow.
    if (word.compare_exchange_strong(
            named, is_nobody ? self : named | kConfirmed,
            std::memory_order_relaxed, std::memory_order_acquire)) {
      if (is_nobody) return true;
      break;
    }
  }
  // Each thread that arrives meanwhile does the same for itself.
  fence_all();
  while (locks_of(named & ~kConfirmed) != 0) pause();
  // release: pairs with the acquire above. Whoever reads it comes after all
  // that the first thread did alone, as this thread does.
  word.store(kSeveral, std::memory_order_release);
  return false;
}

}  // namespace hakmem::only_thread

#endif  // HAKMEM_BASE_SYNC_ONLY_THREAD_H_
