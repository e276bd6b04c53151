#include "backend/memory/region_mapping.h"

#include <algorithm>

#include "backend/memory/huge_pages.h"
#include "base/os/os_memory.h"

namespace hakmem {
namespace {

// With more borders than this, no border is added for speed ...
constexpr ptrdiff_t kMaxForSpeed = 1536;
// ... and with more than this, none to get below a limit.
constexpr ptrdiff_t kMaxForLimits = 8192;

// Places where neighbours differ, over all regions; guarded by the chunk
// source's lock. What lies beyond the ends of a region counts as reserved.
constinit ptrdiff_t borders = 0;

ChunkMapping At(const Region& region, size_t chunk) {
  return chunk < region.chunk_count ? region.mapping[chunk]
                                    : ChunkMapping::kReserved;
}

// The mapping at the chunk's end.
ChunkMapping AtEnd(const Region& region, size_t chunk) {
  return chunk < region.chunk_count && region.IsWhole(chunk)
             ? region.mapping[chunk]
             : ChunkMapping::kReserved;
}

// The borders before, in, between and after the chunks `first` to `last`.
ptrdiff_t BordersIn(const Region& region, size_t first, size_t last) {
  ptrdiff_t count = 0;
  for (size_t c = first; c <= last + 1; ++c) {
    // Before the first chunk is SIZE_MAX: also reserved.
    count += AtEnd(region, c - 1) != At(region, c);
    if (c <= last) count += At(region, c) != AtEnd(region, c);
  }
  return count;
}

// How many borders would be added if the chunks were `mapping`.
ptrdiff_t BordersAdded(const Region& region, size_t first, size_t count,
                       ChunkMapping mapping) {
  const size_t last = first + count - 1;
  return (AtEnd(region, first - 1) != mapping) +
         (At(region, last + 1) != mapping) - BordersIn(region, first, last);
}

// The run of reserved chunks around `chunk`, all of which were usable before.
struct Run {
  size_t first;
  size_t count;
};

Run HoleAround(const Region& region, size_t chunk) {
  size_t first = chunk;
  while (first > 0 && region.IsReserved(first - 1)) --first;
  size_t end = chunk + 1;
  while (end < region.usable && region.IsReserved(end)) ++end;
  return {first, end - first};
}

uintptr_t AddressOf(const Region& region, size_t chunk) {
  return region.base + chunk * kChunkBytes;
}

}  // namespace

void RegionMapping::Set(Region& region, size_t first, size_t count,
                        ChunkMapping mapping) {
  borders += BordersAdded(region, first, count, mapping);
  std::fill_n(region.mapping + first, count, mapping);
  std::fill_n(region.pieces + first, count,
              mapping == ChunkMapping::kReserved ? 0 : kPiecesPerChunk);
}

void RegionMapping::SetPieces(Region& region, size_t chunk, size_t pieces) {
  borders -= BordersIn(region, chunk, chunk);
  region.mapping[chunk] = ChunkMapping::kPlain;
  region.pieces[chunk] = static_cast<uint8_t>(pieces);
  borders += BordersIn(region, chunk, chunk);
}

int RegionMapping::MakeUsable(Region& region, size_t chunk, size_t bytes) {
  // Making all of it usable saves two mappings.
  const size_t pieces = borders > kMaxForSpeed
                            ? kPiecesPerChunk
                            : (bytes + kPieceBytes - 1) / kPieceBytes;
  const size_t before = region.pieces[chunk];
  if (pieces <= before) return 0;
  Run run = {chunk, 1};
  int error = os::Commit(AddressOf(region, chunk) + before * kPieceBytes,
                         (pieces - before) * kPieceBytes);
  if (before != 0) {
    // A partly usable chunk is always plain.
    if (error == 0) SetPieces(region, chunk, pieces);
    return error;
  }
  const bool is_whole = pieces == kPiecesPerChunk;
  if (error != 0 && is_whole && chunk < region.usable) {
    // The kernel may refuse two more mappings. The whole hole takes fewer.
    run = HoleAround(region, chunk);
    if (run.count > 1) {
      error = os::Commit(AddressOf(region, run.first), run.count * kChunkBytes);
    }
  }
  if (error != 0) return error;
  // A hole has lost the advice given for the region.
  if (chunk < region.usable) {
    HugePages::AdviseFresh(AddressOf(region, run.first),
                           run.count * kChunkBytes);
  }
  if (is_whole) {
    Set(region, run.first, run.count, ChunkMapping::kPlain);
  } else {
    SetPieces(region, chunk, pieces);
  }
  region.usable =
      std::max(region.usable, static_cast<uint32_t>(run.first + run.count));
  return 0;
}

void RegionMapping::MakeDense(Region& region, size_t chunk) {
  if (!region.IsWhole(chunk)) return;
  const ptrdiff_t added = BordersAdded(region, chunk, 1, ChunkMapping::kDense);
  if (added > 0 && borders + added > kMaxForSpeed) return;
  if (HugePages::AdviseDense(AddressOf(region, chunk), kChunkBytes)) {
    Set(region, chunk, 1, ChunkMapping::kDense);
  }
}

bool RegionMapping::MakeSparse(Region& region, size_t chunk) {
  if (!HugePages::AdviseSparse(AddressOf(region, chunk), kChunkBytes)) {
    return false;
  }
  Set(region, chunk, 1, ChunkMapping::kSparse);
  return true;
}

size_t RegionMapping::Withdraw(Region& region) {
  size_t withdrawn = 0;
  for (size_t c = 0; c < region.usable;) {
    Run run = {c, 0};
    for (; c < region.usable && region.IsFree(c) && !region.IsReserved(c) &&
           region.dirty_bytes[c] == 0;
         ++c) {
      ++run.count;
    }
    if (run.count == 0) {
      ++c;
      continue;
    }
    const ptrdiff_t added =
        BordersAdded(region, run.first, run.count, ChunkMapping::kReserved);
    if (added > 0 && borders + added > kMaxForLimits) continue;
    if (os::Uncommit(AddressOf(region, run.first), run.count * kChunkBytes) !=
        0) {
      break;
    }
    Set(region, run.first, run.count, ChunkMapping::kReserved);
    withdrawn += run.count;
  }
  while (region.usable != 0 && region.IsReserved(region.usable - 1)) {
    --region.usable;
  }
  return withdrawn;
}

void RegionMapping::Forget(const Region& region) {
  borders -= BordersIn(region, 0, region.chunk_count - 1);
}

}  // namespace hakmem
