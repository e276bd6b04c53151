#include "frontend/dispatch/origins.h"

#include <cstdint>

#include "backend/errors/error_reporting.h"
#include "backend/large/large.h"
#include "backend/memory/pagemap_entry.h"
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

Origin OriginInSlab(PagemapEntry entry) {
  if constexpr (!kNotesOriginsInSlabs) return Origin::kUnknown;
  const Slab* slab = SlabAt(entry.size_class(), entry.address);
  const uint32_t number = slab->BlockAt(entry.address);
  const auto* block = reinterpret_cast<const void*>(entry.address);
  if (number == Slab::kNotABlock || IsFree(*slab, number, block)) {
    return Origin::kUnknown;
  }
  return slab->origins.At(number);
}

// kUnknown when no block in use starts there, or its origin was not recorded.
Origin OriginOf(PagemapEntry entry) {
  switch (entry.kind()) {
    case PagemapEntryKind::kSlab:
      return OriginInSlab(entry);
    case PagemapEntryKind::kSpan:
      return PageHeap::OriginAt(entry);
    case PagemapEntryKind::kLarge:
      return Large::OriginAt(entry);
    case PagemapEntryKind::kNone:
      break;
  }
  return Guard::Owns(entry.address) ? Guard::OriginAt(entry.address)
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
  const PagemapEntry entry =
      PagemapEntry::At(reinterpret_cast<uintptr_t>(block));
  switch (entry.kind()) {
    case PagemapEntryKind::kSlab:
      if constexpr (kNotesOriginsInSlabs) {
        const Slab* slab = SlabAt(entry.size_class(), entry.address);
        slab->origins.Set(slab->BlockAt(entry.address), origin);
      }
      return;
    case PagemapEntryKind::kSpan:
      PageHeap::SetOrigin(entry, origin);
      return;
    case PagemapEntryKind::kLarge:
      return Large::SetOrigin(entry, origin);
    case PagemapEntryKind::kNone:
      if (Guard::Owns(entry.address)) Guard::SetOrigin(entry.address, origin);
      return;
  }
}

void internal::AbortOnOtherOrigin(PagemapEntry entry, BlockCall function) {
  const Origin origin = OriginOf(entry);
  if (origin == Origin::kUnknown || origin == OriginFor(function)) return;
  if (options::Get(options::k_mismatch) == 0) return;
  BlockCallScope::SetIfUnset(function, entry.address);
  AbortOnMismatch(entry.address, origin);
}

}  // namespace hakmem
