// The pool of guarded blocks: slots of pages, separated by guard pages.
//
//   │ guard │   slot 0   │ guard │   slot 1   │ guard │ … │ guard │
//
//           │▒▒▒~│block│~│   right: an access after it faults at once
//           │block│~~│▒▒▒│   left: an access before it faults at once
//
//   ▒ no access   ~ pattern
//
// Only the pages of a block in use are accessible. The rest of them, on both
// sides of the block, holds a pattern that is checked when the block is freed:
// a right block may have a few bytes after it because of its alignment. A freed
// slot is inaccessible and reused last, so that use after free is detected for
// as long as possible.
//
// The metadata is kept separately. The idea is that of Electric Fence (Perens,
// 1987), with few slots as in GWP-ASan.
//
// Thread-safe. No other lock is taken and no system call made under its lock.
#ifndef HAKMEM_FRONTEND_GUARD_GUARDED_POOL_H_
#define HAKMEM_FRONTEND_GUARD_GUARDED_POOL_H_

#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "base/intrusive_list.h"
#include "base/sync/lock.h"
#include "frontend/guard/guarded_block.h"

namespace hakmem {

class GuardedPool {
 public:
  static constexpr size_t kMaxBytes = 16384;  // of a block

  constexpr GuardedPool() = default;

  // Reserves address space for `slots` (not 0) slots, and their metadata. Call
  // it once, first. Returns 0 or an errno.
  int Begin(size_t slots);

  // The pool's address space, guard pages included; empty before Begin.
  uintptr_t begin() const { return begin_; }
  size_t length() const { return length_; }

  // At which end of its slot a block lies.
  enum class End : uint8_t { kLeft, kRight };

  // Allocates a block of `bytes`, aligned to `alignment` (a power of two) and
  // to at least kBlockAlignment. It is zeroed, unless the OS refused to take
  // back the slot's memory. Returns 0 if it does not fit a slot, all slots are
  // in use, or the OS refuses.
  uintptr_t Allocate(size_t bytes, size_t alignment, End end,
                     const CallSite& site);

  // Whether a slot is free now, to check before preparing a call of Allocate.
  bool HasRoom();

  // Results of Free and BytesAt.
  enum class Answer : uint8_t {
    kGood,
    kNotInUse,     // already freed
    kNotAStart,    // of a block, in use or freed
    kNoBlock,      // and none nearby
    kOverwritten,  // the pattern beside it; `finding` is a changed byte
  };

  // Frees the block at `address`, which lies in the pool. Any result but kGood
  // changes nothing and sets `*finding` to the block concerned.
  Answer Free(uintptr_t address, const CallSite& site,
              NearestAllocation* finding);

  // The requested size of the block at `address`; results as for Free.
  Answer BytesAt(uintptr_t address, size_t* bytes, NearestAllocation* finding);

  // The kind of function that allocated the block at `address`, for its holder;
  // kUnknown if no block in use starts there.
  Origin OriginAt(uintptr_t address);
  void SetOrigin(uintptr_t address, Origin origin);

  // Finds the block that an access to `address`, in the pool, was most likely
  // meant for. False if there is none. May be called from a signal handler: if
  // the lock is not free within a few ms, goes on without it.
  bool Find(uintptr_t address, NearestAllocation* finding);

  struct Totals {
    uint64_t sampled = 0;  // blocks allocated since the start
    uint64_t live = 0;     // blocks in use
    uint64_t live_bytes = 0;
    uint64_t committed_bytes = 0;  // of the pages they lie in
  };
  Totals Sum();

  void LockForFork();
  void UnlockAfterFork();

 private:
  struct Slot;
  // Where a block lies in its slot.
  struct Layout;

  Slot* TakeSlot();
  void GiveBack(Slot* slot);
  uintptr_t StartOf(const Slot& slot) const;
  Slot* SlotAt(uintptr_t address) const;
  Layout LayOut(const Slot& slot, size_t bytes, size_t alignment,
                End end) const;
  Layout LayoutOf(const GuardedBlock& block) const;
  Answer Check(uintptr_t address, NearestAllocation* finding) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  const GuardedBlock* NearestTo(uintptr_t address) const;

  // Set by Begin, then constant.
  uintptr_t begin_ = 0;
  size_t length_ = 0;
  size_t page_ = 0;
  size_t slot_bytes_ = 0;
  size_t slot_count_ = 0;
  Slot* slots_ = nullptr;  // their contents are guarded

  Mutex mutex_;
  size_t begun_ ABSL_GUARDED_BY(mutex_) = 0;          // slots used so far
  IntrusiveList<Slot> free_ ABSL_GUARDED_BY(mutex_);  // of those; oldest first
  Totals totals_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_GUARD_GUARDED_POOL_H_
