// The pool of guarded blocks: slots of pages of which no two touch.
//
//   │ guard │   slot 0   │ guard │   slot 1   │ guard │ … │ guard │
//             ▒▒▒▒▒▒▒▒┌─────┬──┐
//      no access      │block│~~│  right: an access behind it faults at once
//
//             ┌─────┬──┐▒▒▒▒▒▒▒▒
//             │block│~~│   left: an access before it faults at once
//
// Only the pages that a block in use lies in can be accessed. What is left of
// them on both sides (~) holds a pattern, which is looked at when the block is
// freed: at its right a block may have a few bytes for the sake of alignment.
// A freed slot is inaccessible and is used again last of all, so that what
// still uses the block is found for long.
//
// The books lie apart, in metadata memory. This is the idea of Electric Fence
// (Perens, 1987) with few slots, as GWP-ASan has it.
//
// Thread-safe. The one lock is held over no other and no system call.
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
  static constexpr size_t kMostBytes = 16384;  // of a block

  constexpr GuardedPool() = default;

  // Takes address space for `slots` (not 0) slots and their books; once, before
  // anything else. Returns 0 or an errno.
  int Begin(size_t slots);

  // The pool's address space, guards included; none before Begin.
  uintptr_t begin() const { return begin_; }
  size_t length() const { return length_; }

  // At which end of its slot a block lies.
  enum class End : uint8_t { kLeft, kRight };

  // A block of `bytes`, aligned to `alignment` (a power of two; to
  // kBlockAlignment at least). Reads as zeros but after a refusal of the OS.
  // 0 when it is too large or too aligned for a slot, when all slots are in
  // use, or when the OS refuses.
  uintptr_t Allocate(size_t bytes, size_t alignment, End end,
                     const CallSite& site);

  // Whether a slot is free, just now: asked before what Allocate needs is made.
  bool HasRoom();

  // What Free and BytesAt answer.
  enum class Answer : uint8_t {
    kGood,
    kNotInUse,     // freed already
    kNotAStart,    // of a block, in use or freed
    kNoBlock,      // nor near one
    kOverwritten,  // the pattern beside it: `finding` is of a changed byte
  };

  // Takes back the block at `address`, an address of the pool. Anything but
  // kGood changes nothing, and `*finding` tells of the block.
  Answer Free(uintptr_t address, const CallSite& site,
              NearestAllocation* finding);

  // The size that the block at `address` was asked for with; as Free.
  Answer BytesAt(uintptr_t address, size_t* bytes, NearestAllocation* finding);

  // What the block at `address` was allocated by, for whoever holds it;
  // kUnknown when no block in use starts there.
  Origin OriginAt(uintptr_t address);
  void SetOrigin(uintptr_t address, Origin origin);

  // Finds the block that an access to `address`, in the pool, was most likely
  // meant for. False when there is none. May be called from a signal handler:
  // a lock that is not to be had within a few ms is done without.
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

  // Set by Begin for good.
  uintptr_t begin_ = 0;
  size_t length_ = 0;
  size_t page_ = 0;
  size_t slot_bytes_ = 0;
  size_t slot_count_ = 0;
  Slot* slots_ = nullptr;  // their contents are guarded

  Mutex mutex_;
  size_t begun_ ABSL_GUARDED_BY(mutex_) = 0;  // slots that were ever used
  IntrusiveList<Slot> free_ ABSL_GUARDED_BY(mutex_);  // of those; oldest first
  Totals totals_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_GUARD_GUARDED_POOL_H_
