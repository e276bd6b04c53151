#include "frontend/verify/heap_check.h"

#include "ace/ace.h"
#include "backend/large/large.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/dirty_bytes.h"
#include "backend/memory/pagemap.h"
#include "backend/spans/page_heap.h"
#include "backend/verify/heap_verifier.h"
#include "frontend/process/fork.h"
#include "frontend/thread_cache/thread_cache.h"
#include "hakmem/hakmem.h"
#include "linked_backend.h"

namespace hakmem {
namespace {

// Compares the parts. Each owner has verified that its chunks are in the
// pagemap; with equal numbers the map has no others, and the chunk source has
// handed out no others.
void CompareParts(HeapVerifier& check) {
  const HeapVerifier::Tally& tally = check.tally;
  check.RequireEqualAtRest(tally.used_chunks,
                           tally.slab_chunks + tally.page_chunks,
                           "wrong number of chunks handed out");
  check.RequireEqualAtRest(tally.mapped_slab_chunks, tally.slab_chunks,
                           "wrong number of slab chunks in the pagemap");
  check.RequireEqualAtRest(tally.mapped_page_chunks, tally.page_chunks,
                           "wrong number of page chunks in the pagemap");
  check.RequireEqualAtRest(tally.mapped_large_blocks, tally.large_blocks,
                           "wrong number of large blocks in the pagemap");
  check.RequireEqualAtRest(tally.spans_in_caches, tally.cached_spans,
                           "wrong number of cached spans");
  check.RequireAtRest(
      DirtyBytes::Is(tally.dirty_bytes, tally.dirty_span_bytes),
      "the ledger of free resident memory is not the parts' sum");
}

}  // namespace

int CheckHeap() {
  LockEverything();
  HeapVerifier check(MayHaveLostThreads());
  ThreadCache::VerifyInvariants(check);
  LinkedBackend::VerifyInvariants(check);
  Ace::VerifyInvariants(check);
  PageHeap::VerifyInvariants(check);
  Large::VerifyInvariants(check);
  ChunkSource::VerifyInvariants(check);
  Pagemap::VerifyInvariants(check);
  CompareParts(check);
  const int errors = check.Finish();
  UnlockEverything();
  return errors;
}

}  // namespace hakmem

int hakmem_check_heap() noexcept { return hakmem::CheckHeap(); }
