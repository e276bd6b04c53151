// Central span cache: the free spans that threads share, by length.
//
// They serve threads that allocate what others free: a message buffer that one
// thread frees is the next one that another fills, still mapped and in the CPU
// cache, without the page heap's lock. A length's list is idle, and costs
// nothing, until some thread keeps requesting it (ThreadSpanCache::OthersFree);
// then it keeps spans that do not fit in bins, up to a limit that doubles each
// time a few requests found it empty. Spans unused for an epoch return to the
// page heap, and the limit falls accordingly.
//
// Thread-safe: a lock per length, held for a few instructions.
#ifndef HAKMEM_ACE_CENTRAL_SPAN_CACHE_H_
#define HAKMEM_ACE_CENTRAL_SPAN_CACHE_H_

#include <cstddef>
#include <cstdint>

#include "backend/memory/found.h"

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
  static void GiveUsed(size_t pages, Found span);

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
