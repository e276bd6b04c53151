// Verifies the metadata of large blocks: each one in use is in the pagemap,
// parked ones are not, no two share memory, and the sums are right.
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
  size_t parked = 0;  // including tails
  size_t tails = 0;   // number of tails
  size_t moved_chunks = 0;
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

// Checks a parked block.
void CheckParked(const LargeBlock& block, const LargeBooks& books,
                 HeapVerifier& check) {
  CheckPlace(block, 0, check);
  check.Require(block.tail == 0, "a parked block has a tail", block.base);
  for (const LargeBlock* other =
           IntrusiveList<LargeBlock>::Next(const_cast<LargeBlock*>(&block));
       other != nullptr; other = IntrusiveList<LargeBlock>::Next(
                             const_cast<LargeBlock*>(other))) {
    check.Require(!Overlap(block, *other), "two parked blocks share memory",
                  other->base);
  }
  for (LargeBlock* other = books.blocks.front(); other != nullptr;
       other = books.blocks.Next(other)) {
    check.Require(!Overlap(block, *other),
                  "a parked block and one in use share memory", block.base);
  }
}

// Also parts of blocks, which start anywhere.
void CheckUnreleased(const LargeBlock& block, HeapVerifier& check) {
  check.Require(block.bytes != 0 && block.tail == 0 &&
                    (block.base | block.bytes) % kPageBytes == 0,
                "unreleased memory is misplaced, or empty", block.base);
  check.Require(
      Pagemap::ChunkAt(block.base) == nullptr || block.base % kChunkBytes != 0,
      "unreleased memory is in the pagemap", block.base);
  check.Require(!ChunkSource::OverlapsRegion(block.base, block.bytes),
                "unreleased memory lies in a region", block.base);
}

}  // namespace

void CheckLargeBlocks(const LargeBooks& books, HeapVerifier& check) {
  Sums sums;
  check.tally.large_blocks +=
      WalkList(books.blocks, "the list of large blocks is broken", check,
               [&](const LargeBlock* block) {
                 CheckInUse(*block, check);
                 sums.in_use += block->bytes;
                 sums.parked += block->tail;
                 sums.tails += block->tail != 0;
                 sums.moved_chunks += block->moved_chunks;
               });
  const int errors_before = check.errors();
  WalkList(books.parked, "the list of parked blocks is broken", check,
           [&](const LargeBlock* block) {
             sums.parked += block->bytes;
             sums.moved_chunks += block->moved_chunks;
           });
  if (check.errors() == errors_before) {
    for (LargeBlock* block = books.parked.front(); block != nullptr;
         block = books.parked.Next(block)) {
      CheckParked(*block, books, check);
    }
  }
  WalkList(books.unreleased, "the list of unreleased memory is broken", check,
           [&](const LargeBlock* block) {
             sums.moved_chunks += block->moved_chunks;
             CheckUnreleased(*block, check);
           });
  const size_t tails =
      WalkList(books.tails, "the list of large blocks' tails is broken", check,
               [&](const LargeBlock* block) {
                 check.Require(block->tail != 0,
                               "a block without a tail is in the list of tails",
                               block->base);
               });
  check.RequireEqual(tails, sums.tails,
                     "wrong number of blocks in the list of tails");
  check.RequireEqual(books.bytes_in_use, sums.in_use,
                     "wrong sum of large blocks' bytes");
  check.RequireEqual(books.bytes_parked, sums.parked,
                     "wrong sum of parked blocks' bytes");
  check.RequireEqualAtRest(books.moved_chunks, sums.moved_chunks,
                           "wrong sum of large blocks' moved chunks");
  check.tally.dirty_bytes += sums.parked;
  books.block_pool.VerifyInvariants(check, [&](const LargeBlock* free) {
    if (Pagemap::ChunkAt(free->base) == free) return true;
    const auto is_in = [free](const IntrusiveList<LargeBlock>& list) {
      LargeBlock* block = list.front();
      while (block != nullptr && block != free) block = list.Next(block);
      return block != nullptr;
    };
    return is_in(books.parked) || is_in(books.unreleased);
  });
}

}  // namespace hakmem
