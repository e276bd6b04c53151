#include "backend/large/bad_address.h"

#include <cstdint>

#include "backend/errors/error_reporting.h"
#include "backend/large/large.h"
#include "backend/memory/chunk_source.h"
#include "backend/spans/page_heap.h"
#include "backend/spans/small_reserve.h"

namespace hakmem {

void AbortOnBadAddress(PagemapEntry entry) {
  const uintptr_t address = entry.address;
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
  if (entry.kind() == PagemapEntryKind::kSpan) {
    if (const size_t pages = PageHeap::CachedPagesAt(entry); pages != 0) {
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
