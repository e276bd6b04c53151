// Whether a block of a slab is in use: hardened builds look at the slab's
// metadata before a bin or a slab takes the block, and before reporting its
// size.
#ifndef HAKMEM_FRONTEND_THREAD_CACHE_IN_USE_CHECK_H_
#define HAKMEM_FRONTEND_THREAD_CACHE_IN_USE_CHECK_H_

#include <cstdint>

#include "backend/errors/block_call.h"
#include "backend/errors/error_reporting.h"
#include "backend/slabs/slab.h"
#include "base/size_classes.h"
#include "frontend/thread_cache/slab_at.h"
#include "hardening/freed_mark.h"

namespace hakmem {

// Aborts when `block`, whose address is in a slab of class `c`, is not a block
// in use. The slab's lock is not held: other threads may change other bits of
// the word read here, but never the bit of a block in use.
//
// The error names `function` unless the thread is in another call with the
// block.
__attribute__((no_sanitize("thread"))) inline void AbortUnlessInUse(
    SizeClass c, const void* block, BlockCall function = BlockCall::kFree) {
  const auto address = reinterpret_cast<uintptr_t>(block);
  const Slab* slab = SlabAt(c, address);
  const uint32_t number = slab->BlockAt(address);
  if (number == Slab::kNotABlock || slab->IsBlockFree(number)) [[unlikely]] {
    BlockCallScope::SetIfUnset(function, address);
    AbortOnBadFreeIn(*slab, address);
  }
  if (FreedMark::IsOn(block)) [[unlikely]] {
    BlockCallScope::SetIfUnset(function, address);
    AbortOnDoubleFree(address, slab->block_bytes);
  }
}

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_THREAD_CACHE_IN_USE_CHECK_H_
