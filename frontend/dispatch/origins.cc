#include "frontend/dispatch/origins.h"

#include <cstdint>

#include "backend/errors/error_reporting.h"
#include "backend/large/large.h"
#include "backend/memory/found.h"
#include "backend/spans/page_heap.h"
#include "base/size_classes.h"
#include "base/text/options.h"
#include "frontend/guard/guard.h"
#include "frontend/thread_cache/slab_at.h"
#include "hardening/freed_mark.h"

namespace hakmem {
namespace {

// Whether the block is free: a double free is not an origin error.
__attribute__((no_sanitize("thread"))) bool IsFree(const Slab& slab,
                                                   uint32_t number,
                                                   const void* block) {
  return slab.IsBlockFree(number) || FreedMark::IsOn(block);
}

Origin OriginInSlab(Found found) {
  if constexpr (!kNotesOriginsInSlabs) return Origin::kUnknown;
  const Slab* slab = SlabAt(found.size_class(), found.address);
  const uint32_t number = slab->BlockAt(found.address);
  const auto* block = reinterpret_cast<const void*>(found.address);
  if (number == Slab::kNotABlock || IsFree(*slab, number, block)) {
    return Origin::kUnknown;
  }
  return slab->origins.At(number);
}

// kUnknown when no block in use starts there, or its origin was not recorded.
Origin OriginOf(Found found) {
  switch (found.kind()) {
    case FoundKind::kSlab:
      return OriginInSlab(found);
    case FoundKind::kSpan:
      return PageHeap::OriginAt(found);
    case FoundKind::kLarge:
      return Large::OriginAt(found);
    case FoundKind::kNone:
      break;
  }
  return Guard::Owns(found.address) ? Guard::OriginAt(found.address)
                                    : Origin::kUnknown;
}

Origin OriginFor(BlockCall function) {
  switch (function) {
    case BlockCall::kDelete:
      return Origin::kNew;
    case BlockCall::kDeleteArray:
      return Origin::kNewArray;
    default:
      return Origin::kMalloc;
  }
}

}  // namespace

void internal::NoteOrigin(const void* block, Origin origin) {
  const Found found = Found::At(reinterpret_cast<uintptr_t>(block));
  switch (found.kind()) {
    case FoundKind::kSlab:
      if constexpr (kNotesOriginsInSlabs) {
        const Slab* slab = SlabAt(found.size_class(), found.address);
        slab->origins.Set(slab->BlockAt(found.address), origin);
      }
      return;
    case FoundKind::kSpan:
      PageHeap::SetOrigin(found, origin);
      return;
    case FoundKind::kLarge:
      return Large::SetOrigin(found, origin);
    case FoundKind::kNone:
      if (Guard::Owns(found.address)) Guard::SetOrigin(found.address, origin);
      return;
  }
}

void internal::AbortOnOtherOrigin(Found found, BlockCall function) {
  const Origin origin = OriginOf(found);
  if (origin == Origin::kUnknown || origin == OriginFor(function)) return;
  if (options::Get(options::k_mismatch) == 0) return;
  BlockCallScope::NoteIfNone(function, found.address);
  AbortOnMismatch(found.address, origin);
}

}  // namespace hakmem
