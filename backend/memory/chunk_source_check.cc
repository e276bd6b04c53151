// Checks that each chunk of each region is free or used by its owner in the
// pagemap, and that the regions and sums are right.
#include "backend/memory/metadata_check.h"
#include "backend/memory/pagemap.h"
#include "backend/memory/region.h"
#include "backend/verify/heap_verifier.h"

namespace hakmem {
namespace {

void CheckUsed(const Region& region, size_t i, HeapVerifier& check) {
  const uintptr_t address = region.base + i * kChunkBytes;
  ++check.tally.used_chunks;
  check.Require(!region.IsReserved(i), "a chunk is in use that is not usable",
                address);
  check.RequireEqualAtRest(region.dirty_bytes[i], 0,
                           "a chunk in use has free resident bytes", address);
  const Chunk* chunk = Pagemap::ChunkAt(address);
  if (!check.RequireAtRest(chunk != nullptr, "a chunk is in use by nobody",
                           address) ||
      chunk == nullptr) {
    return;
  }
  if (!check.Require(chunk->kind != ChunkKind::kLarge,
                     "a large block lies in a region", address)) {
    return;
  }
  check.RequireEqualAtRest(region.IsDense(i), chunk->is_dense,
                           "a chunk's density is not what its owner knows",
                           address);
}

void CheckRegion(const Region& region, HeapVerifier& check) {
  uint32_t free = 0;
  uint32_t dirty = 0;
  for (size_t i = 0; i < region.chunk_count; ++i) {
    const uintptr_t address = region.base + i * kChunkBytes;
    check.Require(region.pieces[i] <= kPiecesPerChunk &&
                      (region.pieces[i] == 0) == region.IsReserved(i) &&
                      (region.IsWhole(i) || !region.IsDense(i)),
                  "wrong number of a chunk's usable pieces", address);
    check.tally.dirty_bytes += region.dirty_bytes[i];
    check.Require(region.dirty_bytes[i] <= kChunkBytes,
                  "more of a chunk is resident than it has", address);
    if (!region.IsFree(i)) {
      CheckUsed(region, i, check);
      continue;
    }
    ++free;
    dirty += region.dirty_bytes[i] != 0;
    check.Require(!region.IsReserved(i) || region.dirty_bytes[i] == 0,
                  "memory is resident that is not usable", address);
    check.Require(i < region.usable || region.IsReserved(i),
                  "a chunk is usable beyond what is", address);
    check.Require(Pagemap::ChunkAt(address) == nullptr,
                  "a free chunk is in the pagemap", address);
  }
  check.RequireEqual(region.free_count, free,
                     "wrong count of a region's free chunks", region.base);
  check.RequireEqual(region.dirty_count, dirty,
                     "wrong count of a region's resident free chunks",
                     region.base);
  check.Require(
      region.base % kChunkBytes == 0 && region.usable <= region.chunk_count,
      "a region is misplaced, or usable beyond its end", region.base);
}

}  // namespace

void CheckRegions(const IntrusiveList<Region>& regions, size_t bytes_reserved,
                  MetadataAllocator<Region>& pool, HeapVerifier& check) {
  size_t bytes = 0;
  WalkList(regions, "the list of regions is broken", check,
           [&](const Region* region) {
             CheckRegion(*region, check);
             bytes += region->chunk_count * kChunkBytes;
             for (const Region* other = region->list_next; other != nullptr;
                  other = other->list_next) {
               check.Require(!region->Overlaps(
                                 other->base, other->chunk_count * kChunkBytes),
                             "two regions overlap", other->base);
             }
           });
  check.RequireEqual(bytes_reserved, bytes, "wrong sum of reserved bytes");
  pool.VerifyInvariants(check, [&](const Region* free) {
    const Region* region = regions.front();
    while (region != nullptr && region != free) region = region->list_next;
    return region != nullptr;
  });
}

}  // namespace hakmem
