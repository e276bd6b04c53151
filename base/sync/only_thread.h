// The protocol of IsSingleThreaded (single_thread.h): how a thread that others
// join leaves off doing without atomic operations.
//
//   kNobody ──first thread──► its counter ──another──► told ──it is out──►
//   kSeveral
//
// The word names the only thread that is known, by the address of its counter:
// how many locks it holds, is taking or has just released. This thread may use
// plain stores in the place of atomic operations from where it counts a lock
// until it no longer does, once it has read its own name in between. Another
// one marks the word, has every thread pass a fence, and waits until the
// counter is 0. Either the first thread had read its name before the fence, and
// then its count is seen; or it reads the mark.
//
// It is Dekker's handshake with all of the cost on one side (cf. Dice, Huang
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
// Beside the address of a counter, which is a multiple of 4.
inline constexpr uintptr_t kTold = 1;

// Whether the word names `self`: then the calling thread is alone until it no
// longer counts a lock. To be asked after it has counted one, and a fence that
// pairs with the one of every thread in Enter.
template <typename Word>
bool IsNamed(const Word& word, uintptr_t self) {
  // relaxed: the fences order it.
  return word.load(std::memory_order_relaxed) == self;
}

// When the word does not name `self`. Returns whether the calling thread, which
// holds no lock, is the only one; else it has told the thread that was.
// locks_of(name) reads that thread's counter, with acquire; fence_all() has
// every thread pass a fence; pause() lets others run.
template <typename Word, typename LocksOf, typename FenceAll, typename Pause>
bool Enter(Word& word, uintptr_t self, LocksOf&& locks_of, FenceAll&& fence_all,
           Pause&& pause) {
  // acquire: pairs with the release below, of a thread that has waited.
  uintptr_t named = word.load(std::memory_order_acquire);
  for (;;) {
    if (named == self) return true;
    if (named == kSeveral || named == (self | kTold)) return false;
    const bool is_nobody = named == kNobody;
    if (!is_nobody && (named & kTold) != 0) break;
    // relaxed: the fences order what follows.
    if (word.compare_exchange_strong(named, is_nobody ? self : named | kTold,
                                     std::memory_order_relaxed,
                                     std::memory_order_acquire)) {
      if (is_nobody) return true;
      break;
    }
  }
  // Each thread that comes meanwhile does the same for itself.
  fence_all();
  while (locks_of(named & ~kTold) != 0) pause();
  // release: pairs with the acquire above. Who reads it is behind all that the
  // first thread did alone, as this thread is.
  word.store(kSeveral, std::memory_order_release);
  return false;
}

}  // namespace hakmem::only_thread

#endif  // HAKMEM_BASE_SYNC_ONLY_THREAD_H_
