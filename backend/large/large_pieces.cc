#include "backend/large/large_pieces.h"

#include <algorithm>
#include <cstdint>

#include "backend/large/large_density.h"
#include "backend/large/large_runs.h"
#include "base/os/os_memory.h"

namespace hakmem::large {
namespace {

// The most cached blocks in one assembled block, and the most borders in total;
// each may add a kernel mapping (vm.max_map_count is 65530).
constexpr size_t kMaxPieces = 32;
constexpr size_t kMaxBorders = 8192;

size_t WholeChunks(size_t bytes) { return bytes & ~(kChunkBytes - 1); }

// What a block of `size` bytes lacks after `filled` of them, a multiple of
// kChunkBytes.
struct Lacking {
  size_t size;
  size_t filled = 0;

  size_t chunks() const { return RoundToChunks(size) - filled; }

  // Bytes that `piece` can give: all the rest, or whole chunks, so that what
  // follows is aligned. The last chunk is given whole if possible: what of it
  // the block does not need can still move to others later.
  size_t FromPiece(const LargeBlock& piece) const {
    if (piece.bytes >= chunks()) return chunks();
    return filled + piece.bytes >= size ? piece.bytes
                                        : WholeChunks(piece.bytes);
  }
};

// The cached block that gives the most of what is lacking, and of those the
// shortest; null when none gives any.
LargeBlock* ChoosePiece(const Lacking& lacking)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  LargeBlock* best = nullptr;
  size_t most = 0;
  for (LargeBlock* block = cached.front(); block != nullptr;
       block = cached.Next(block)) {
    const size_t gives = lacking.FromPiece(*block);
    if (gives > most ||
        (gives == most && best != nullptr && block->bytes < best->bytes)) {
      best = block;
      most = gives;
    }
  }
  return best;
}

struct Pieces {
  size_t count = 0;
  size_t bytes = 0;  // of all; more than lacking in the last chunk only
  LargeBlock* blocks[kMaxPieces];
};

// Takes cached memory to assemble a block of `size`.
Pieces TakePieces(size_t size) {
  Pieces pieces;
  MutexLock lock(mutex);
  if (borders + size / kChunkBytes >= kMaxBorders) return pieces;
  Lacking lacking{size};
  while (lacking.filled < size && pieces.count < kMaxPieces) {
    LargeBlock* piece = ChoosePiece(lacking);
    if (piece == nullptr) break;
    piece = TakeFront(piece, lacking.FromPiece(*piece));
    if (piece == nullptr) break;
    lacking.filled += piece->bytes;
    pieces.blocks[pieces.count++] = piece;
  }
  pieces.bytes = lacking.filled;
  return pieces;
}

// How far the assembly of a block went.
struct Assembly {
  uintptr_t target;
  size_t filled = 0;  // bytes
  uint64_t borders = 1;
  // When the OS has refused: bytes after those filled that are no longer the
  // caller's (os::MoveTo).
  size_t hole = 0;
};

// Moves a piece to the end of what is filled, and deletes its metadata; what
// the OS refuses to move is cached again.
void MovePiece(LargeBlock* piece, Assembly& assembly) {
  while (piece->bytes != 0 && assembly.hole == 0) {
    const size_t step = BytesToBorder(*piece);
    const uintptr_t to = assembly.target + assembly.filled;
    if (os::MoveTo(piece->base, step, step, to) != 0) {
      assembly.hole = step;
      break;
    }
    assembly.borders |= uint64_t{1} << assembly.filled / kChunkBytes;
    assembly.filled += step;
    DropFront(piece, step);
  }
  if (piece->bytes == 0) return DeleteMetadata(piece);
  MutexLock lock(mutex);
  EnterCached(piece);
}

}  // namespace

CachedMemory Assemble(size_t size) {
  const Pieces pieces = TakePieces(size);
  if (pieces.count == 0) return {};
  LargeBlock* block = block_pool.Get();
  os::Mapping m;
  const size_t mapped = std::max(size, pieces.bytes);
  if (block != nullptr) m = MapBlock(mapped, kChunkBytes);
  if (!m) {
    for (size_t i = 0; i < pieces.count; ++i) UnmapBlock(pieces.blocks[i]);
    if (block != nullptr) block_pool.Put(block);
    return {.is_refused = true};
  }
  Begin(block, m.address, mapped);
  if (pieces.bytes < size) AdviseIfDense(block);  // for its fresh part
  Assembly assembly{m.address};
  for (size_t i = 0; i < pieces.count; ++i) {
    MovePiece(pieces.blocks[i], assembly);
  }
  const size_t filled = assembly.filled;
  if (assembly.hole != 0) {
    const size_t behind = filled + assembly.hole;
    if (filled != 0) UnmapPart(m.address, filled);
    if (behind != mapped) UnmapPart(m.address + behind, mapped - behind);
    block_pool.Put(block);
    return {};
  }
  // The fresh part.
  if (filled < mapped) assembly.borders |= uint64_t{1} << filled / kChunkBytes;
  MutexLock lock(mutex);
  SetBorders(block, assembly.borders);
  return {
      .block = block, .rest = mapped - size, .dirty = std::min(filled, size)};
}

}  // namespace hakmem::large
