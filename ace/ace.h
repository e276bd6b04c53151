// ACE, the Adaptive Cache Engine: all sizes above tiny.
//
//   2 KiB to 32 KiB    mid classes: blocks of slabs, through the thread's bins
//   to 1 MiB           spans: thread span cache, central span cache, page heap
//   above              large blocks: a mapping each; freed ones are cached
//
// The pagemap has the class of a mid block, as of a tiny one; the page heap has
// a tag for each span. What adapts is how much each class may cache
// (thread_cache.h, thread_span_cache.h, central_span_cache.h) and which span
// lengths are cached at all: a length gets a cache while it is often requested,
// so that 33 KiB costs 36 KiB, and loses it when requests stop. No live block
// ever moves.
//
// With --//ace=fixed limits are frozen, and span lengths are rounded up to base
// classes 12.5 % apart; with --//ace=off sizes above tiny go straight to spans
// and mappings.
//
// Thread-safe, except that a ThreadSpanCache passed in must be the calling
// thread's (null: it has none) unless stated otherwise. Lock order: a thread's
// span cache, the central span cache (at most one lock of each at a time), the
// limit, mid blocks; then the page heap's, the large blocks'.
#ifndef HAKMEM_ACE_ACE_H_
#define HAKMEM_ACE_ACE_H_

#include <cstddef>
#include <cstdint>

#include "ace/thread_span_cache.h"
#include "backend/backend.h"
#include "backend/large/large.h"
#include "backend/memory/pagemap_entry.h"
#include "backend/spans/span.h"
#include "base/build_config.h"
#include "base/size_classes.h"
#include "base/text/options.h"

namespace hakmem {

class Ace {
 public:
  // The mid class for `bytes` (above kMaxTinyBytes, at most PTRDIFF_MAX) at
  // `alignment` (a power of two); kNone when no class fits.
  static SizeClass ClassFor(size_t bytes, size_t alignment) {
    if (kAceMode == AceMode::kOff || bytes > kMaxMidBytes) {
      return SizeClass::kNone;
    }
    const SizeClass c = alignment <= kBlockAlignment
                            ? ClassOf(bytes)
                            : AlignedClassOf(bytes, alignment);
    return c != SizeClass::kNone && IsWithinWasteCap(bytes, ClassBytes(c))
               ? c
               : SizeClass::kNone;
  }

  // Blocks of mid classes in batches; see Backend's functions of these names.
  static uint32_t Refill(SizeClass c, void** blocks, uint32_t count);
  static void Drain(SizeClass c, void* const* blocks, uint32_t count);
  static const Slab* SlabAt(uintptr_t address);
  static void VisitSlabs(SlabVisitor visitor, void* argument);

  // Bytes in mid blocks that are in use or in bins. Takes no lock.
  static size_t MidBlockBytes();

  // Whether a request without a class needs a large block; otherwise a span
  // serves it.
  static bool IsLarge(size_t bytes, size_t alignment) {
    return bytes > kMaxSpanBytes || alignment > kMaxSpanBytes;
  }

  // A span of `bytes` at `alignment` (a power of two). When refused: address 0,
  // and the reason is recorded.
  static SpanAllocation AllocateSpan(size_t bytes, size_t alignment,
                                     ThreadSpanCache* bins);

  // The same for a large block of `bytes` (at most PTRDIFF_MAX).
  using Contents = Large::Contents;
  static SpanAllocation AllocateLarge(size_t bytes, size_t alignment,
                                      Contents contents) {
    return Large::Allocate(bytes < 1 ? 1 : bytes, alignment, contents);
  }

  // The functions below accept any entry (pagemap_entry.h) outside
  // slabs.

  // Usable bytes of the span or large block that starts there; 0 when there is
  // none.
  static size_t BytesAt(PagemapEntry entry);

  // Frees the span or large block that starts there. When there is none, aborts
  // with one line that says what the address is.
  static void Free(PagemapEntry entry, ThreadSpanCache* bins);

  // Resizes the span or large block that starts there to at least `bytes`
  // without copying, if that is possible.
  using Resized = Large::Resized;
  static Resized Resize(PagemapEntry entry, size_t bytes);

  // Ends an epoch of `bins`: returns what lay unused in them, everything with
  // `all`.
  static void TrimBins(ThreadSpanCache& bins, bool all);

  // Returns all that another thread's bins hold. Returns false, and does
  // nothing, when they are not shared or their thread is changing them.
  static bool FlushBinsOfOtherThread(ThreadSpanCache& bins);

  // Housekeeping at `now` (CoarseMilliseconds); see Backend's functions of
  // these names. EndEpoch releases what the central span cache and pools held
  // unused.
  static void EndEpoch(uint64_t now, bool force);
  static size_t Purge(uint64_t now, bool force, PurgeBudget* budget);
  static size_t Collect(uint64_t now, bool force);
  static size_t PurgeInside(const InnerPurge& purge);

  struct Totals {
    SlabTotals slabs;            // of mid classes
    uint64_t span_bytes = 0;     // in spans, used and cached
    uint64_t committed = 0;      // resident pages of all spans, free ones too
    uint64_t shared_cached = 0;  // in the central span cache
    uint64_t large_bytes = 0;    // in large blocks
    uint64_t large_blocks = 0;   // how many
    uint64_t large_cached = 0;   // in large blocks cached for reuse
  };
  static Totals Sum();

  static void LockForFork();
  static void UnlockAfterFork();

  // Verifies the metadata of mid blocks and the central span cache
  // (backend/verify/heap_verifier.h). The caller holds the locks, as for fork.
  // VisitShared calls visit(span, argument) for each span in the central span
  // cache.
  [[gnu::cold]] static void VerifyInvariants(HeapVerifier& check);
  static void VisitShared(void (*visit)(uintptr_t span, void* argument),
                          void* argument);

 private:
  // Whether `bytes` may be rounded up to `rounded`.
  static bool IsWithinWasteCap(size_t bytes, size_t rounded) {
    return (rounded - bytes) * 100 <=
           bytes * options::Get(options::k_ace_waste_percent);
  }

  static void FreeSpan(PagemapEntry entry, size_t pages, ThreadSpanCache* bins);
  static size_t ClassPagesFor(size_t bytes);
  static size_t MostPagesFor(size_t bytes);
};

}  // namespace hakmem

#endif  // HAKMEM_ACE_ACE_H_
