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
// span bins, span shards (of each none is held while another is taken), the
// limit, mid blocks; then the span source's.
#ifndef HAKMEM_ACE_ACE_H_
#define HAKMEM_ACE_ACE_H_

#include <cstddef>
#include <cstdint>

#include "ace/thread_span_cache.h"
#include "ace_mode.h"
#include "backend/backend.h"
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

  // A span or a large block of `bytes` (at most PTRDIFF_MAX) at `alignment` (a
  // power of two). Address 0, with a note why, when it is refused.
  // What is to be zeroed does not come from parked large blocks: fresh memory
  // costs no more, and is resident only where it is touched.
  enum class Contents { kAny, kZero };
  static SpanAllocation Allocate(size_t bytes, size_t alignment,
                                 Contents contents, ThreadSpanCache* bins);

  // Usable bytes of the span or large block that starts at `address`, any
  // number at all; 0 when none does.
  static size_t BytesAt(uintptr_t address);

  // Takes back the span or large block at `address`. Aborts with one line that
  // says what the address is when none starts there.
  static void Free(uintptr_t address, ThreadSpanCache* bins);

  // Makes the span or large block at `address` at least `bytes` long without
  // copying. Returns where it is now; 0 when that cannot be done, and the block
  // is as it was.
  static uintptr_t Resize(uintptr_t address, size_t bytes);

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

  static size_t ClassPagesFor(size_t bytes);
  static size_t MostPagesFor(size_t bytes);
};

}  // namespace hakmem

#endif  // HAKMEM_ACE_ACE_H_
