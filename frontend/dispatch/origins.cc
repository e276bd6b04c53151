#include "frontend/dispatch/origins.h"

#include <cstdint>

#include "ace/ace.h"
#include "backend/errors/error_reporting.h"
#include "backend/large/large.h"
#include "backend/memory/pagemap.h"
#include "backend/spans/page_heap.h"
#include "base/size_classes.h"
#include "base/text/options.h"
#include "frontend/guard/guard.h"
#include "hardening/freed_mark.h"
#include "linked_backend.h"

namespace hakmem {
namespace {

uintptr_t AddressOf(const void* block) {
  return reinterpret_cast<uintptr_t>(block);
}

const Slab* SlabAt(SizeClass c, uintptr_t address) {
  return IsMid(c) ? Ace::SlabAt(address) : LinkedBackend::SlabAt(address);
}

// Whether the block is free: a second free of it is not a matter of origins.
__attribute__((no_sanitize("thread"))) bool IsFree(const Slab& slab,
                                                   uint32_t number,
                                                   const void* block) {
  return slab.IsBlockFree(number) || FreedMark::IsOn(block);
}

// kUnknown when no block in use starts there, or its origin was not noted.
Origin OriginOf(const void* block) {
  const uintptr_t address = AddressOf(block);
  const SizeClass c = Pagemap::ClassAt(address);
  if (c == SizeClass::kNone) {
    if (Guard::Owns(address)) return Guard::OriginAt(address);
    const Origin of_span = PageHeap::OriginAt(address);
    return of_span != Origin::kUnknown ? of_span : Large::OriginAt(address);
  }
  if constexpr (!kNotesOriginsInSlabs) return Origin::kUnknown;
  const Slab* slab = SlabAt(c, address);
  const uint32_t number = slab->BlockAt(address);
  if (number == Slab::kNotABlock || IsFree(*slab, number, block)) {
    return Origin::kUnknown;
  }
  return slab->origins.At(number);
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
  const uintptr_t address = AddressOf(block);
  const SizeClass c = Pagemap::ClassAt(address);
  if (c == SizeClass::kNone) {
    if (Guard::Owns(address)) return Guard::SetOrigin(address, origin);
    if (PageHeap::SetOrigin(address, origin)) return;
    return Large::SetOrigin(address, origin);
  }
  if constexpr (!kNotesOriginsInSlabs) return;
  const Slab* slab = SlabAt(c, address);
  slab->origins.Set(slab->BlockAt(address), origin);
}

void internal::AbortOnOtherOrigin(const void* block, BlockCall function) {
  const Origin origin = OriginOf(block);
  if (origin == Origin::kUnknown || origin == OriginFor(function)) return;
  if (options::Get(options::k_mismatch) == 0) return;
  BlockCallScope::NoteIfNone(function, AddressOf(block));
  AbortOnMismatch(AddressOf(block), origin);
}

}  // namespace hakmem
