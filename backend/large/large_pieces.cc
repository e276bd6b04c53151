#include "backend/large/large_pieces.h"

#include <algorithm>
#include <cstdint>

#include "backend/large/large_density.h"
#include "base/os/os_memory.h"

namespace hakmem::large {
namespace {

// The most cached blocks in one assembled block, and the most moved chunks in
// total; each may be a separate mapping (vm.max_map_count is 65530).
constexpr size_t kMostPieces = 32;
constexpr size_t kMostMovedChunks = 8192;

size_t WholeChunks(size_t bytes) { return bytes & ~(kChunkBytes - 1); }

// Bytes that `piece` can give to a block that lacks `wanted`: all the rest, or
// whole chunks, so that what follows is aligned.
size_t Gives(const LargeBlock& piece, size_t wanted) {
  return piece.bytes >= wanted ? wanted : WholeChunks(piece.bytes);
}

// The cached block that gives the most of `wanted` bytes, and of those the
// shortest; null when none gives any.
LargeBlock* ChoosePiece(size_t wanted) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  LargeBlock* best = nullptr;
  for (LargeBlock* block = cached.front(); block != nullptr;
       block = cached.Next(block)) {
    const size_t gives = Gives(*block, wanted);
    const size_t most = best == nullptr ? 0 : Gives(*best, wanted);
    if (gives > most ||
        (gives == most && best != nullptr && block->bytes < best->bytes)) {
      best = block;
    }
  }
  return best;
}

struct Pieces {
  size_t count = 0;
  LargeBlock* blocks[kMostPieces];
};

// Takes cached blocks to assemble a block of `size`.
Pieces TakePieces(size_t size) {
  Pieces pieces;
  MutexLock lock(mutex);
  if (moved_chunks + size / kChunkBytes >= kMostMovedChunks) return pieces;
  size_t lacking = size;
  while (lacking != 0 && pieces.count < kMostPieces) {
    LargeBlock* piece = ChoosePiece(lacking);
    if (piece == nullptr) break;
    RemoveCached(piece);
    lacking -= Gives(*piece, lacking);
    pieces.blocks[pieces.count++] = piece;
  }
  return pieces;
}

// Moves `bytes` from the front of `piece` to `target`, chunk by chunk: each
// lies in one kernel mapping. Returns the bytes moved. If they are fewer, the
// chunk of `target` after them is no longer the caller's (os::MoveTo).
size_t MoveChunks(const LargeBlock& piece, size_t bytes, uintptr_t target) {
  for (size_t done = 0; done < bytes; done += kChunkBytes) {
    const size_t step = std::min(bytes - done, kChunkBytes);
    if (os::MoveTo(piece.base + done, step, step, target + done) != 0) {
      return done;
    }
  }
  return bytes;
}

// Handles the rest of `piece` after `used` bytes of its front were moved:
// caches whole chunks again, unmaps the rest.
void CacheRest(LargeBlock* piece, size_t used) {
  const size_t kept = std::min(RoundToChunks(used), piece->bytes);
  if (kept != used) GiveBackPart(piece->base + used, kept - used);
  piece->base += kept;
  piece->bytes -= kept;
  if (piece->bytes == 0) return Forget(piece);
  if (piece->bytes < kChunkBytes) {
    GiveBack(piece);
    return;
  }
  MutexLock lock(mutex);
  EnterCached(piece);
}

// Moves cached memory to [target, target+size), which is mapped. Returns the
// bytes moved, or -1 when the OS refused; then the range is no longer the
// caller's.
int64_t FillFrom(const Pieces& pieces, uintptr_t target, size_t size) {
  size_t filled = 0;
  size_t hole = SIZE_MAX;
  for (size_t i = 0; i < pieces.count; ++i) {
    LargeBlock* piece = pieces.blocks[i];
    size_t used = 0;
    if (hole == SIZE_MAX) {
      const size_t wanted = Gives(*piece, size - filled);
      used = MoveChunks(*piece, wanted, target + filled);
      filled += used;
      if (used < wanted) hole = filled;
    }
    CacheRest(piece, used);
  }
  if (hole == SIZE_MAX) return static_cast<int64_t>(filled);
  const size_t behind = std::min(hole + kChunkBytes, size);
  if (hole != 0) GiveBackPart(target, hole);
  if (behind != size) GiveBackPart(target + behind, size - behind);
  return -1;
}

}  // namespace

CachedMemory PutTogether(size_t size) {
  const Pieces pieces = TakePieces(size);
  if (pieces.count == 0) return {};
  LargeBlock* block = block_pool.Get();
  os::Mapping m;
  if (block != nullptr) m = MapBlock(size, kChunkBytes);
  if (!m) {
    for (size_t i = 0; i < pieces.count; ++i) GiveBack(pieces.blocks[i]);
    if (block != nullptr) block_pool.Put(block);
    return {.is_refused = true};
  }
  Begin(block, m.address, size);
  AskIfDense(block);  // for its fresh part
  const int64_t moved = FillFrom(pieces, m.address, size);
  if (moved < 0) {
    block_pool.Put(block);
    return {};
  }
  const auto dirty = static_cast<size_t>(moved);
  block->moved_chunks =
      static_cast<uint32_t>(RoundToChunks(dirty) / kChunkBytes);
  MutexLock lock(mutex);
  moved_chunks += block->moved_chunks;
  return {.block = block, .dirty = dirty};
}

}  // namespace hakmem::large
