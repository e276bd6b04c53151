#include "frontend/dispatch/heap_check.h"

#include "ace/ace.h"
#include "backend/large/large.h"
#include "backend/memory/address_map.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/dirty_ledger.h"
#include "backend/spans/page_heap.h"
#include "backend/verify/book_check.h"
#include "frontend/process/fork.h"
#include "frontend/thread_cache/thread_cache.h"
#include "linked_backend.h"

namespace hakmem {
namespace {

// What the parts must agree on. Each chunk that its owner holds is in the
// address map, as the owner has seen to: with equal numbers the map has no
// others, and the chunk source has handed out no others.
void CompareParts(BookCheck& check) {
  const BookCheck::Tally& tally = check.tally;
  check.RequireEqualAtRest(tally.used_chunks,
                           tally.slab_chunks + tally.page_chunks,
                           "wrong number of chunks handed out");
  check.RequireEqualAtRest(tally.mapped_slab_chunks, tally.slab_chunks,
                           "wrong number of slab chunks in the address map");
  check.RequireEqualAtRest(tally.mapped_page_chunks, tally.page_chunks,
                           "wrong number of page chunks in the address map");
  check.RequireEqualAtRest(tally.mapped_large_blocks, tally.large_blocks,
                           "wrong number of large blocks in the address map");
  check.RequireEqualAtRest(tally.kept_spans, tally.cached_spans,
                           "wrong number of cached spans in bins and shards");
  check.RequireAtRest(
      DirtyLedger::Is(tally.dirty_bytes, tally.dirty_span_bytes),
      "the ledger of free resident memory is not the parts' sum");
}

}  // namespace

int CheckHeap() {
  LockEverything();
  BookCheck check(MayHaveLostThreads());
  ThreadCache::CheckBooks(check);
  LinkedBackend::CheckBooks(check);
  Ace::CheckBooks(check);
  PageHeap::CheckBooks(check);
  Large::CheckBooks(check);
  ChunkSource::CheckBooks(check);
  AddressMap::CheckBooks(check);
  CompareParts(check);
  const int errors = check.Finish();
  UnlockEverything();
  return errors;
}

}  // namespace hakmem
