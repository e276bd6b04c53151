// The allocator: the functions that malloc, operator new and hakmem_* are built
// on.
//
// The two fast paths are inline here: a malloc that finds a block in its bin,
// and a free that finds room. Everything else is behind one call each
// (allocator.cc), made as a tail call, so that the hot path saves no registers.
//
// Thread-safe. Failure is null; errno is set where the function says so.
#ifndef HAKMEM_FRONTEND_DISPATCH_ALLOCATOR_H_
#define HAKMEM_FRONTEND_DISPATCH_ALLOCATOR_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "backend/errors/block_call.h"
#include "backend/memory/pagemap.h"
#include "base/size_classes.h"
#include "frontend/dispatch/call.h"
#include "frontend/dispatch/free_checks.h"
#include "frontend/thread_cache/bins.h"
#include "hardening/levels.h"

namespace hakmem {

// A block of `bytes` from the thread's bins; null when they have none, when the
// size is above mid, and in builds that record every block's origin.
inline void* PopFromBins(size_t bytes) {
  // Origins are recorded before a block is handed out.
  if (kNotesOriginsInSlabs || bytes > kMaxMidBytes) [[unlikely]] {
    return nullptr;
  }
  return thread_tables.ForPop()->PopBytes(bytes);
}

// Puts `block`, which may be any address, into this thread's bins. Returns
// false when they do not take it: the bin is at its limit, or `block` lies in
// no slab, or in one outside the pagemap's window.
inline bool PushToBins(void* block) {
  const auto address = reinterpret_cast<uintptr_t>(block);
  BinTable* const bins = thread_tables.ForPush();
  // The slow path handles the quarantine.
  if (kQuarantinesFreed || !Pagemap::IsInWindow(bins->window, address))
      [[unlikely]] {
    return false;
  }
  // Class 0 is always at its limit.
  return bins->Push(Pagemap::ClassInWindow(bins->window, address), block);
}

// The same, for a caller that knows the requested size. In hardened builds the
// bins do not take a block of another class.
inline bool PushSizedToBins(void* block, size_t bytes) {
  if constexpr (!kChecksFrees) return PushToBins(block);
  if (bytes > kMaxMidBytes) return false;
  const auto address = reinterpret_cast<uintptr_t>(block);
  BinTable* const bins = thread_tables.ForPush();
  if (!Pagemap::IsInWindow(bins->window, address) ||
      Pagemap::ClassInWindow(bins->window, address) !=
          SizeClass{bins->class_of_units[UnitsOf(bytes)]}) [[unlikely]] {
    return false;
  }
  return PushToBins(block);
}

// A block of at least `bytes`, 16-aligned, for a caller whose PopFromBins found
// none. Null, with errno ENOMEM and a failure record, when `bytes` is above
// PTRDIFF_MAX or memory is refused.
void* AllocateSlow(size_t bytes, Call call);

// Frees `block`, from any function here, or null, for a caller whose PushToBins
// did not take it. Keeps errno. Aborts with one line when `block` is not a
// block in use, as far as can be told; the line names `function`, which the
// program called.
void FreeSlow(void* block, Call call, BlockCall function = BlockCall::kFree);

// The same for a block requested with `terms`, which hardened builds compare
// with the block.
void FreeSized(void* block, SizedFreeHint hint, BlockCall function, Call call);

// As AllocateSlow, zeroed.
void* AllocateZeroed(size_t bytes, Call call);

// As AllocateSlow, aligned to `alignment`, a power of two.
void* AllocateAligned(size_t alignment, size_t bytes, Call call);

// Resizes `block` to at least `bytes` (not 0), keeping its contents; it may
// move. Null on failure, with errno ENOMEM; then `block` is unchanged.
void* Reallocate(void* block, size_t bytes, Call call);

// The same for reallocarray, which errors about a bad block name.
void* ReallocateForArray(void* block, size_t bytes, Call call);

// Fails a request that could never be served: sets errno to `error` and records
// it. `bytes` is SIZE_MAX when count times size overflowed.
void* RefuseImpossible(size_t bytes, size_t alignment, int error, Call call);

// Usable bytes of `block`; 0 for null. Aborts with one line when `block` is not
// a block in use, as far as can be told; the line names the call that this
// thread is in with it (block_call.h), or malloc_usable_size.
size_t UsableBytes(const void* block);

// Whether a block of `usable` bytes may stay in place for a request of `bytes`:
// it fits, and at most half of it, or one unit, would be unused.
inline bool StaysInPlace(size_t usable, size_t bytes) {
  return bytes <= usable &&
         usable - bytes <= std::max(usable / 2, kBlockAlignment);
}

// Returns free memory, this thread's bins included, to the OS. Returns bytes.
size_t CollectAll();

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_DISPATCH_ALLOCATOR_H_
