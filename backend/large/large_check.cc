// Verifies the metadata of large blocks: each one in use is in the pagemap,
// cached ones are not, no two share memory, and the sums are right.
#include "backend/large/large_block.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/metadata_check.h"
#include "backend/memory/pagemap.h"
#include "backend/spans/span.h"
#include "backend/verify/heap_verifier.h"

namespace hakmem {
namespace {

struct Sums {
  size_t in_use = 0;
  size_t cached = 0;  // including tails
  size_t tails = 0;   // number of tails
  size_t borders = 0;
};

size_t MappedBytes(const LargeBlock& block) { return block.bytes + block.tail; }

bool Overlap(const LargeBlock& a, const LargeBlock& b) {
  return a.base < b.base + MappedBytes(b) && b.base < a.base + MappedBytes(a);
}

// Checks any block: the pagemap has no entry for its memory from the `first`
// chunk on.
void CheckPlace(const LargeBlock& block, size_t first, HeapVerifier& check) {
  const size_t bytes = MappedBytes(block);
  check.Require(block.kind == ChunkKind::kLarge && block.bytes != 0 &&
                    block.base % kChunkBytes == 0 && bytes % kPageBytes == 0 &&
                    block.bytes % kPageBytes == 0,
                "a large block is misplaced, or empty", block.base);
  for (size_t offset = first * kChunkBytes; offset < bytes;
       offset += kChunkBytes) {
    check.Require(Pagemap::ChunkAt(block.base + offset) == nullptr,
                  "a chunk lies in a large block's memory",
                  block.base + offset);
  }
  check.Require(!ChunkSource::OverlapsRegion(block.base, bytes),
                "a large block lies in a region", block.base);
}

void CheckInUse(const LargeBlock& block, HeapVerifier& check) {
  check.Require(Pagemap::ChunkAt(block.base) == &block,
                "a large block in use is not in the pagemap", block.base);
  CheckPlace(block, 1, check);
}

// Checks a cached block.
void CheckCached(const LargeBlock& block, const LargeMetadata& metadata,
                 HeapVerifier& check) {
  CheckPlace(block, 0, check);
  check.Require(block.tail == 0, "a cached block has a tail", block.base);
  for (const LargeBlock* other =
           IntrusiveList<LargeBlock>::Next(const_cast<LargeBlock*>(&block));
       other != nullptr; other = IntrusiveList<LargeBlock>::Next(
                             const_cast<LargeBlock*>(other))) {
    check.Require(!Overlap(block, *other), "two cached blocks share memory",
                  other->base);
  }
  for (LargeBlock* other = metadata.blocks.front(); other != nullptr;
       other = metadata.blocks.Next(other)) {
    check.Require(!Overlap(block, *other),
                  "a cached block and one in use share memory", block.base);
  }
}

// Also parts of blocks, which start anywhere.
void CheckPendingUnmap(const LargeBlock& block, HeapVerifier& check) {
  check.Require(block.bytes != 0 && block.tail == 0 &&
                    (block.base | block.bytes) % kPageBytes == 0,
                "memory pending unmap is misplaced, or empty", block.base);
  check.Require(
      Pagemap::ChunkAt(block.base) == nullptr || block.base % kChunkBytes != 0,
      "memory pending unmap is in the pagemap", block.base);
  check.Require(!ChunkSource::OverlapsRegion(block.base, block.bytes),
                "memory pending unmap lies in a region", block.base);
}

}  // namespace

void CheckLargeBlocks(const LargeMetadata& metadata, HeapVerifier& check) {
  Sums sums;
  check.tally.large_blocks +=
      WalkList(metadata.blocks, "the list of large blocks is broken", check,
               [&](const LargeBlock* block) {
                 CheckInUse(*block, check);
                 sums.in_use += block->bytes;
                 sums.cached += block->tail;
                 sums.tails += block->tail != 0;
                 sums.borders += block->CountBorders();
               });
  const int errors_before = check.errors();
  WalkList(metadata.cached, "the list of cached blocks is broken", check,
           [&](const LargeBlock* block) {
             sums.cached += block->bytes;
             sums.borders += block->CountBorders();
           });
  if (check.errors() == errors_before) {
    for (LargeBlock* block = metadata.cached.front(); block != nullptr;
         block = metadata.cached.Next(block)) {
      CheckCached(*block, metadata, check);
    }
  }
  WalkList(metadata.pending_unmap, "the list of memory pending unmap is broken",
           check, [&](const LargeBlock* block) {
             sums.borders += block->CountBorders();
             CheckPendingUnmap(*block, check);
           });
  const size_t tails =
      WalkList(metadata.tails, "the list of large blocks' tails is broken",
               check, [&](const LargeBlock* block) {
                 check.Require(block->tail != 0,
                               "a block without a tail is in the list of tails",
                               block->base);
               });
  check.RequireEqual(tails, sums.tails,
                     "wrong number of blocks in the list of tails");
  check.RequireEqual(metadata.bytes_in_use, sums.in_use,
                     "wrong sum of large blocks' bytes");
  check.RequireEqual(metadata.bytes_cached, sums.cached,
                     "wrong sum of cached blocks' bytes");
  check.RequireEqualAtRest(metadata.borders, sums.borders,
                           "wrong sum of large blocks' borders");
  check.tally.dirty_bytes += sums.cached;
  metadata.block_pool.VerifyInvariants(check, [&](const LargeBlock* free) {
    if (Pagemap::ChunkAt(free->base) == free) return true;
    const auto is_in = [free](const IntrusiveList<LargeBlock>& list) {
      LargeBlock* block = list.front();
      while (block != nullptr && block != free) block = list.Next(block);
      return block != nullptr;
    };
    return is_in(metadata.cached) || is_in(metadata.pending_unmap);
  });
}

}  // namespace hakmem
