// Central span cache: the free spans that threads share, by length.
//
// For threads that allocate what other threads free, such as message buffers: a
// freed span goes to the next thread that needs one while it is still mapped
// and in the CPU cache, without the page heap's lock. (tcmalloc's transfer
// cache, for spans.) The list of a length is inactive, and costs nothing, until
// a thread misses that length much more often than it frees it
// (ThreadSpanCache::MissesFarExceedFrees). Then it takes the spans that do not
// fit in bins, up to a limit that doubles after every few misses. Spans unused
// for an epoch return to the page heap, and the limit falls accordingly.
//
// Thread-safe: a lock per length, held for a few instructions.
#ifndef HAKMEM_ACE_CENTRAL_SPAN_CACHE_H_
#define HAKMEM_ACE_CENTRAL_SPAN_CACHE_H_

#include <cstddef>
#include <cstdint>

#include "backend/memory/pagemap_entry.h"

namespace hakmem {

class HeapVerifier;

class CentralSpanCache {
 public:
  // Moves up to `count` spans of `pages` to `out`. Returns how many.
  static uint32_t Take(size_t pages, uint32_t count, uintptr_t* out);

  // Keeps those of `count` cached spans of `pages` that the limit allows, and
  // returns the others to the page heap.
  static void Give(size_t pages, const uintptr_t* spans, uint32_t count);

  // The same for one used span.
  static void GiveUsed(size_t pages, PagemapEntry span);

  // Ends an epoch: returns spans unused in it to the page heap, all of them
  // with `force`.
  static void EndEpoch(bool force);

  // Bytes of the cached spans.
  static size_t HeldBytes();

  static void LockForFork();
  static void UnlockAfterFork();

  // Verifies the metadata (backend/verify/heap_verifier.h). The caller holds
  // the locks, as for fork. VisitSpans calls visit(span, argument) for each
  // cached span.
  [[gnu::cold]] static void VerifyInvariants(HeapVerifier& check);
  static void VisitSpans(void (*visit)(uintptr_t span, void* argument),
                         void* argument);
};

}  // namespace hakmem

#endif  // HAKMEM_ACE_CENTRAL_SPAN_CACHE_H_
