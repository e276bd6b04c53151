#include "backend/large/span_source.h"

#include <algorithm>

#include "backend/errors/emergency.h"
#include "backend/errors/error_reporting.h"
#include "backend/large/large.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/pagemap.h"
#include "backend/spans/page_heap.h"
#include "backend/spans/small_reserve.h"

namespace hakmem {
namespace {

// The kind of the chunk at `address`; kSlabs, which holds no span, when the
// address is not ours.
ChunkKind KindAt(uintptr_t address) {
  const Chunk* chunk = Pagemap::ChunkAt(address);
  return chunk == nullptr ? ChunkKind::kSlabs : chunk->kind;
}

}  // namespace

SpanAllocation SpanSource::Allocate(size_t bytes, size_t alignment) {
  bytes = std::max(bytes, size_t{1});
  alignment = std::max(alignment, kPageBytes);
  if (bytes <= kMaxSpanBytes && alignment <= kMaxSpanBytes) {
    return PageHeap::Allocate(PagesFor(bytes), alignment);
  }
  return Large::Allocate(bytes, alignment);
}

size_t SpanSource::BytesAt(uintptr_t address) {
  if (SmallReserve::Owns(address)) return SmallReserve::BytesAt(address);
  switch (KindAt(address)) {
    case ChunkKind::kPages:
      return PageHeap::PagesAt(address) * kPageBytes;
    case ChunkKind::kLarge:
      return Large::BytesAt(address);
    case ChunkKind::kSlabs:
      break;
  }
  return Emergency::BytesAt(address);
}

void SpanSource::Free(uintptr_t address, uint64_t now) {
  if (SmallReserve::Owns(address)) {
    if (SmallReserve::Free(address)) return;
    AbortOnBadAddress(address);
  }
  switch (KindAt(address)) {
    case ChunkKind::kPages:
      if (PageHeap::Free(address, now) != 0) return;
      break;
    case ChunkKind::kLarge:
      if (Large::Free(address)) return;
      break;
    case ChunkKind::kSlabs:
      if (Emergency::BytesAt(address) != 0) return;
      break;
  }
  AbortOnBadAddress(address);
}

uintptr_t SpanSource::Resize(uintptr_t address, size_t bytes, uint64_t now) {
  switch (KindAt(address)) {
    case ChunkKind::kPages:
      if (bytes == 0 || bytes > kMaxSpanBytes) return 0;
      return PageHeap::Resize(address, PagesFor(bytes), now) ? address : 0;
    case ChunkKind::kLarge:
      return bytes <= kMaxSpanBytes ? 0 : Large::Resize(address, bytes);
    case ChunkKind::kSlabs:
      break;
  }
  return 0;
}

void SpanSource::AbortOnBadAddress(uintptr_t address) {
  if (SmallReserve::Owns(address)) {
    const SmallReserve::Place place = SmallReserve::PlaceOf(address);
    if (place.start != address) {
      AbortOnMiddleOfSpan(address, address - place.start);
    }
    if (place.bytes != 0) AbortOnDoubleFree(address, place.bytes);
    AbortOnForeignFree(address);
  }
  if (const uintptr_t block = Large::BlockAround(address); block != 0) {
    AbortOnMiddleOfSpan(address, address - block);
  }
  if (const size_t bytes = Large::BytesOfFreed(address); bytes != 0) {
    AbortOnDoubleFree(address, bytes);
  }
  if (KindAt(address) == ChunkKind::kPages) {
    if (const size_t pages = PageHeap::CachedPagesAt(address); pages != 0) {
      AbortOnDoubleFree(address, pages * kPageBytes);
    }
    if (const uintptr_t block = PageHeap::SpanAround(address); block != 0) {
      AbortOnMiddleOfSpan(address, address - block);
    }
    AbortOnDoubleFree(address);
  }
  if (ChunkSource::Owns(address)) AbortOnNoBlock(address);
  AbortOnForeignFree(address, !Large::HasForgottenFreed());
}

}  // namespace hakmem
