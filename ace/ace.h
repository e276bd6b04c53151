// ACE, the Adaptive Cache Engine: everything above tiny.
//
//   2 KiB to 32 KiB    mid classes: blocks of slabs, through the thread's bins
//   to 1 MiB           spans of whole pages: the thread's span bins, shards
//   above              large blocks: a mapping each, a few kept for reuse
//
// A mid block is told by its class in the pagemap, as a tiny one is; a span
// by its tag in the page heap. What adapts is how much each class may cache
// (thread_cache.h, thread_span_cache.h, central_span_cache.h) and which span
// lengths have a cache at all: a length that is asked for often gets one, so
// that 33 KiB costs 36 KiB, and loses it when nobody asks any more. No live
// block ever moves.
//
// With --//ace=fixed limits are frozen, and span lengths are rounded up to base
// classes 12.5 % apart; with --//ace=off sizes above tiny go straight to spans
// and mappings.
//
// Thread-safe, but for the ThreadSpanCache passed in, which are the calling
// thread's (null: it has none) unless said otherwise. Lock order: a thread's
// span cache, the central span cache (of each none is held while another is
// taken), the limit, mid blocks; then the page heap's, the large blocks'.
#ifndef HAKMEM_ACE_ACE_H_
#define HAKMEM_ACE_ACE_H_

#include <cstddef>
#include <cstdint>

#include "ace/thread_span_cache.h"
#include "ace_mode.h"
#include "backend/backend.h"
#include "backend/large/large.h"
#include "backend/memory/found.h"
#include "backend/spans/span.h"
#include "base/size_classes.h"
#include "base/text/options.h"

namespace hakmem {

class Ace {
 public:
  // The mid class for `bytes` (above kMaxTinyBytes, at most PTRDIFF_MAX) at
  // `alignment` (a power of two); kNone when none may serve it.
  static SizeClass ClassFor(size_t bytes, size_t alignment) {
    if (kAceMode == AceMode::kOff || bytes > kMaxMidBytes) {
      return SizeClass::kNone;
    }
    const SizeClass c = alignment <= kBlockAlignment
                            ? MidClassOf(bytes)
                            : AlignedClassOf(bytes, alignment);
    return c != SizeClass::kNone && IsWithinWasteCap(bytes, ClassBytes(c))
               ? c
               : SizeClass::kNone;
  }

  // Blocks of mid classes in batches, as Backend's functions of these names.
  static uint32_t Refill(SizeClass c, void** blocks, uint32_t count);
  static void Drain(SizeClass c, void* const* blocks, uint32_t count);
  static const Slab* SlabAt(uintptr_t address);
  static void VisitSlabs(SlabVisitor visitor, void* argument);

  // Whether a request for which there is no class is one for a large block; a
  // span serves the others.
  static bool IsLarge(size_t bytes, size_t alignment) {
    return bytes > kMaxSpanBytes || alignment > kMaxSpanBytes;
  }

  // A span of `bytes` at `alignment` (a power of two). Address 0, with a note
  // why, when it is refused.
  static SpanAllocation AllocateSpan(size_t bytes, size_t alignment,
                                     ThreadSpanCache* bins);

  // The same for a large block of `bytes` (at most PTRDIFF_MAX).
  using Contents = Large::Contents;
  static SpanAllocation AllocateLarge(size_t bytes, size_t alignment,
                                      Contents contents) {
    return Large::Allocate(bytes < 1 ? 1 : bytes, alignment, contents);
  }

  // What follows takes what was found at an address (found.h), which is no
  // slab's.

  // Usable bytes of the span or large block that starts there; 0 when none
  // does.
  static size_t BytesAt(Found found);

  // Takes back the span or large block that starts there. Aborts with one line
  // that says what the address is when none does.
  static void Free(Found found, ThreadSpanCache* bins);

  // Makes the span or large block that starts there at least `bytes` long
  // without copying. Returns where it is now; 0 when that cannot be done, and
  // the block is as it was.
  static uintptr_t Resize(Found found, size_t bytes);

  // Ends an epoch of `bins`: what lay unused in them goes back, everything with
  // `all`.
  static void TrimBins(ThreadSpanCache& bins, bool all);

  // Gives back all that the bins of another thread keep. Returns false, and
  // does nothing, when they are not shared or their thread is amid a change.
  static bool TrimBinsOfOther(ThreadSpanCache& bins);

  // Housekeeping at `now` (CoarseMilliseconds), as Backend's functions of these
  // names: EndEpoch lets go of what the shards and pools kept unused.
  static void EndEpoch(uint64_t now, bool force);
  static size_t Purge(uint64_t now, bool force, PurgeBudget* budget);
  static size_t Collect(uint64_t now, bool force);

  struct Totals {
    SlabTotals slabs;            // of mid classes
    uint64_t span_bytes = 0;     // in spans, used and cached
    uint64_t committed = 0;      // resident pages of all spans, free ones too
    uint64_t shared_cached = 0;  // in the shards
    uint64_t large_bytes = 0;    // in large blocks
    uint64_t large_cached = 0;   // in large blocks kept for reuse
  };
  static Totals Sum();

  static void LockForFork();
  static void UnlockAfterFork();

  // Proves that the books of mid blocks and shards balance
  // (backend/verify/heap_verifier.h). The caller holds the locks, as for fork.
  // VisitShared calls visit(span, argument) for each span in the shards.
  [[gnu::cold]] static void VerifyInvariants(HeapVerifier& check);
  static void VisitShared(void (*visit)(uintptr_t span, void* argument),
                          void* argument);

 private:
  // Whether `bytes` may be rounded up to `rounded`.
  static bool IsWithinWasteCap(size_t bytes, size_t rounded) {
    return (rounded - bytes) * 100 <=
           bytes * options::Get(options::k_ace_waste_percent);
  }

  static void FreeSpan(Found found, size_t pages, ThreadSpanCache* bins);
  static size_t ClassPagesFor(size_t bytes);
  static size_t MostPagesFor(size_t bytes);
};

}  // namespace hakmem

#endif  // HAKMEM_ACE_ACE_H_
