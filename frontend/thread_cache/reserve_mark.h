// ReserveMark: whether a thread's reserve (thread_cache.h) may hold anything
// that its owner put there since another thread last emptied it.
//
//   The owner:                          Another thread:
//     1  under the lock: puts a block     4  mark := empty
//     2  mark empty?                      5  under the lock: takes all blocks
//     3    mark := in use
//
// If the owner's critical section comes first, 5 finds the block. Otherwise 2
// sees what 4 stored. So when both are done, no block lies in a reserve that is
// marked empty. A global count of the reserves not marked empty tells whether
// there is anything to take, without walking all threads.
//
// The lock is not part of the mark: any lock that both sides take will do.
#ifndef HAKMEM_FRONTEND_THREAD_CACHE_RESERVE_MARK_H_
#define HAKMEM_FRONTEND_THREAD_CACHE_RESERVE_MARK_H_

#include <atomic>
#include <cstddef>

namespace hakmem {

class ReserveMark {
 public:
  // relaxed, all: the lock orders them (see above), and the count is a hint.

  // Call before others can reach the mark.
  void Begin() { is_empty_.store(true, std::memory_order_relaxed); }

  // Call after the owner's critical section that put something in.
  void NoteUse(std::atomic<size_t>& in_use) {
    if (IsEmpty() && is_empty_.exchange(false, std::memory_order_relaxed)) {
      in_use.fetch_add(1, std::memory_order_relaxed);
    }
  }

  // Call before another thread's critical section that takes everything.
  // Returns false when there is nothing to take. A caller that then cannot take
  // it calls NoteUse.
  bool BeginEmptying(std::atomic<size_t>& in_use) {
    if (IsEmpty() || is_empty_.exchange(true, std::memory_order_relaxed)) {
      return false;
    }
    in_use.fetch_sub(1, std::memory_order_relaxed);
    return true;
  }

  bool IsEmpty() const { return is_empty_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> is_empty_;
};

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_THREAD_CACHE_RESERVE_MARK_H_
