#include "frontend/dispatch/allocator.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ace/ace.h"
#include "backend/errors/emergency.h"
#include "backend/errors/error_reporting.h"
#include "backend/large/bad_address.h"
#include "backend/memory/pagemap_entry.h"
#include "backend/memory/purge_turn.h"
#include "backend/spans/small_reserve.h"
#include "base/text/options.h"
#include "frontend/dispatch/origins.h"
#include "frontend/dispatch/refusal.h"
#include "frontend/dispatch/route.h"
#include "frontend/dispatch/sampled.h"
#include "frontend/guard/guard.h"
#include "frontend/process/housekeeping.h"
#include "frontend/sampling/sampling.h"
#include "frontend/thread_cache/fallback_heap.h"
#include "frontend/thread_cache/in_use_check.h"
#include "frontend/thread_cache/retry_gate.h"
#include "frontend/thread_cache/slab_at.h"
#include "frontend/thread_cache/thread_cache.h"
#include "tracing/events/events.h"
#include "tracing/failures/failure.h"
#include "tracing/profile/profile.h"

namespace hakmem {
namespace {

// Larger objects are invalid: pointer differences in them would overflow.
constexpr size_t kMaxBytes = PTRDIFF_MAX;

uintptr_t AddressOf(const void* block) {
  return reinterpret_cast<uintptr_t>(block);
}

// A small block from the reserve, when nothing else serves the request. Not if
// ACE has a limit, beyond which none of its sizes may be served.
void* TakeFromReserve(const Request& request) {
  const bool is_limited = request.bytes > kMaxTinyBytes &&
                          options::Get(options::k_ace_limit_mb) != 0;
  return request.can_do_without || is_limited
             ? nullptr
             : SmallReserve::Allocate(request.bytes, request.alignment);
}

SpanAllocation TakeSpanFromReserve(const Request& request) {
  return {AddressOf(TakeFromReserve(request)), /*is_zero=*/false};
}

// --- Routes ------------------------------------------------------------------

// A block of the route's class; thread_tables has none.
[[gnu::always_inline]] inline void* AllocateFromClass(const Request& request,
                                                      const Route& route) {
  const auto allocate = [c = route.size_class] {
    return ThreadCache::Allocate(c);
  };
  const uint64_t gate = retry_gate.State();
  void* block = allocate();
  if (block != nullptr) [[likely]] {
    return block;
  }
  return AfterRefusal(request, route, gate, allocate,
                      [&] { return TakeFromReserve(request); });
}

// A span or a large block.
[[gnu::always_inline]] inline SpanAllocation AllocatePages(
    const Request& request, const Route& route, Ace::Contents contents) {
  const auto allocate = [&] {
    return route.kind == Route::Kind::kSpan
               ? ThreadCache::AllocateSpan(request.bytes, request.alignment)
               : ThreadCache::AllocateLarge(request.bytes, request.alignment,
                                            contents);
  };
  const uint64_t gate = retry_gate.State();
  const SpanAllocation pages = allocate();
  if (pages) [[likely]] {
    return pages;
  }
  return AfterRefusal(request, route, gate, allocate,
                      [&] { return TakeSpanFromReserve(request); });
}

void* PointerTo(const SpanAllocation& span) {
  return reinterpret_cast<void*>(span.address);
}

// A block, through the bins if its route has one.
[[gnu::always_inline]] inline void* AllocateOn(const Route& route,
                                               const Request& request) {
  if (!route.HasClass()) {
    return PointerTo(AllocatePages(request, route, Ace::Contents::kAny));
  }
  // By size: a class may be hidden from malloc.
  void* block = thread_tables.ForPop()->PopBytes(ClassBytes(route.size_class));
  return block != nullptr ? block : AllocateFromClass(request, route);
}

void* AllocateZeroedOn(const Route& route, const Request& request) {
  if (!route.HasClass()) {
    const SpanAllocation pages =
        AllocatePages(request, route, Ace::Contents::kZero);
    if (pages && !pages.is_zero) memset(PointerTo(pages), 0, request.bytes);
    return PointerTo(pages);
  }
  void* block = AllocateOn(route, request);
  return block == nullptr ? nullptr : memset(block, 0, request.bytes);
}

Route RouteOf(const Request& request) {
  return Route::Of(request.bytes, request.alignment);
}

// --- Observed calls ----------------------------------------------------------

// Whether a request that the bins do not serve may have to be sampled or
// recorded.
bool IsObserved() { return EventsOn() || Sampling::IsOn(); }

// Returns `block`, or null, and records an event while events are on.
[[gnu::cold, gnu::noinline]] void* Recorded(void* block,
                                            const Request& request) {
  if (EventsOn() && block != nullptr) {
    RecordEvent(Operation::kAllocate, block, request.bytes, UsableBytes(block),
                request.call.caller);
  }
  return block;
}

// The same after a resize; `moved` is null when it failed.
[[gnu::cold, gnu::noinline]] void RecordResized(const void* block,
                                                const void* moved, size_t bytes,
                                                Call call) {
  const void* now = moved != nullptr ? moved : block;
  const size_t usable = UsableBytes(now);
  RecordEvent(Operation::kReallocate, now, moved != nullptr ? bytes : usable,
              usable, call.caller);
}

// A block; the caller records its event.
void* AllocateUnrecorded(const Request& request) {
  const Route route = RouteOf(request);
  if (!Sampling::IsOn()) [[likely]] {
    return AllocateOn(route, request);
  }
  const SampleDraw sample(request, route);
  void* block = sample.Allocate();
  return block != nullptr ? block : sample.Sampled(AllocateOn(route, request));
}

// --- Lookups -----------------------------------------------------------------

// Usable bytes of a block outside slabs; see UsableBytes.
[[gnu::noinline]] size_t BytesOutsideSlabs(PagemapEntry entry,
                                           BlockCall function,
                                           const void* caller) {
  const uintptr_t address = entry.address;
  size_t bytes = 0;
  if (entry.kind() != PagemapEntryKind::kNone) {
    bytes = Ace::BytesAt(entry);
    if (const size_t sampled = Profile::UsableAt(address)) return sampled;
  } else if (Guard::Owns(address)) {
    return Guard::BytesAt(address, function, caller);
  } else if (SmallReserve::Owns(address)) {
    bytes = SmallReserve::BytesAt(address);
  } else {
    bytes = Emergency::BytesAt(address);
  }
  if (bytes == 0) [[unlikely]] {
    BlockCallScope::SetIfUnset(function, address);
    AbortOnBadAddress(entry);
  }
  return bytes;
}

// As UsableBytes, for a `function` that is recorded only if the block is bad.
[[gnu::always_inline]] inline size_t BytesOf(PagemapEntry entry,
                                             BlockCall function,
                                             const void* caller) {
  if (!entry.IsSlab()) {
    return BytesOutsideSlabs(entry, function, caller);
  }
  const SizeClass c = entry.size_class();
  if constexpr (kChecksFrees) {
    AbortUnlessInUse(c, reinterpret_cast<const void*>(entry.address), function);
  } else {
    const Slab* slab = SlabAt(c, entry.address);
    if (slab->BlockAt(entry.address) == Slab::kNotABlock) [[unlikely]] {
      BlockCallScope::SetIfUnset(function, entry.address);
      AbortOnBadFreeIn(*slab, entry.address);
    }
  }
  return ClassBytes(c);
}

// Frees a block unknown to the pagemap: a guarded one, one of the reserve, or a
// piece of emergency memory, which is never reused.
[[gnu::noinline]] void FreeUnknown(PagemapEntry entry, Call call) {
  const uintptr_t address = entry.address;
  if (Guard::Owns(address)) return Guard::Free(address, call.caller);
  if (FallbackHeap::IsInEmergency()) return;
  if (!SmallReserve::Owns(address)) {
    if (Emergency::BytesAt(address) == 0) AbortOnBadAddress(entry);
    return;
  }
  if constexpr (kQuarantinesFreed) {
    if (options::Get(options::k_zero_on_free) != 0) {
      memset(reinterpret_cast<void*>(address), 0,
             SmallReserve::BytesAt(address));
    }
  }
  if (!SmallReserve::Free(address)) AbortOnBadAddress(entry);
}

inline void FreeEntry(PagemapEntry entry, Call call) {
  switch (entry.kind()) {
    case PagemapEntryKind::kSlab:
      return ThreadCache::Free(entry.size_class(),
                               reinterpret_cast<void*>(entry.address));
    case PagemapEntryKind::kSpan:
    case PagemapEntryKind::kLarge:
      ForgetSampled(entry.address);
      return ThreadCache::FreeSpanOrLarge(entry);
    case PagemapEntryKind::kNone:
      return FreeUnknown(entry, call);
  }
}

// Records the event before freeing; afterwards another thread may reuse and
// record the block first.
[[gnu::cold, gnu::noinline]] void RecordFree(PagemapEntry entry, Call call) {
  const BlockCall function = call.entry == HAKMEM_ENTRY_REALLOC
                                 ? BlockCall::kRealloc
                             : call.entry == HAKMEM_ENTRY_REALLOCARRAY
                                 ? BlockCall::kReallocarray
                                 : BlockCallScope::Of(entry.address);
  const BlockCallScope scope(function, entry.address);
  RecordEvent(Operation::kFree, reinterpret_cast<const void*>(entry.address), 0,
              BytesOf(entry, function, call.caller), call.caller);
}

// Frees a block that was looked up; the caller has a BlockCallScope.
[[gnu::always_inline]] inline void FreeChecked(PagemapEntry entry, Call call,
                                               BlockCall function) {
  CheckOrigin(entry, function);
  if (EventsOn()) [[unlikely]] {
    RecordFree(entry, call);
  }
  FreeEntry(entry, call);
}

// Aborts when the block cannot have been requested as `hint` says. FreeEntry
// checks whether it is in use; if not, that is the better reason to abort for.
void CheckSizedFree(PagemapEntry entry, SizedFreeHint hint, BlockCall function,
                    Call call) {
  const SizeClass c = entry.IsSlab() ? entry.size_class() : SizeClass::kNone;
  const size_t usable = c != SizeClass::kNone
                            ? ClassBytes(c)
                            : BytesOf(entry, function, call.caller);
  const FreedBlock block = {entry.address, c, usable};
  if (!MayHaveBeenSized(block, hint, function)) [[unlikely]] {
    (void)BytesOf(entry, function, call.caller);
    AbortOnSizedFree(block, hint);
  }
}

// The large block for a realloc for which the OS has just refused a mapping of
// that length. `gate` as for AfterRefusal.
[[gnu::cold, gnu::noinline]] void* AllocateAfterRefusal(const Request& request,
                                                        uint64_t gate) {
  return PointerTo(AfterRefusal(
      request, RouteOf(request), gate,
      [&] {
        return ThreadCache::AllocateLarge(request.bytes, request.alignment,
                                          Ace::Contents::kAny);
      },
      [&] { return TakeSpanFromReserve(request); }));
}

[[gnu::always_inline]] inline void* Resize(PagemapEntry entry,
                                           BlockCall function, size_t bytes,
                                           Call call) {
  void* const block = reinterpret_cast<void*>(entry.address);
  const size_t usable = BytesOf(entry, function, __builtin_return_address(0));
  CheckOrigin(entry, function);
  if (StaysInPlace(usable, bytes)) return block;
  if (bytes > kMaxBytes) {
    return RefuseImpossible(bytes, 0, ENOMEM, call);
  }
  bool is_refused = false;
  const uint64_t gate = retry_gate.State();
  if (usable > kMaxMidBytes && bytes > kMaxMidBytes) {
    const Ace::Resized resized = ResizeSampled(entry, bytes, call);
    if (resized) return reinterpret_cast<void*>(resized.address);
    is_refused = resized.is_refused;
  }
  // If the block need not grow, keeping it beats failing.
  const bool fits = bytes <= usable;
  const Request request{bytes, 0, call, fits};
  void* moved = is_refused ? AllocateAfterRefusal(request, gate)
                           : AllocateUnrecorded(request);
  if (moved == nullptr) return fits ? block : nullptr;
  memcpy(moved, block, std::min(usable, bytes));
  const BlockCallScope scope(function, entry.address);
  FreeEntry(entry, call);
  return moved;
}

template <BlockCall kFunction>
[[gnu::always_inline]] inline void* ReallocateAs(void* block, size_t bytes,
                                                 Call call) {
  if (block == nullptr) {
    void* fresh = PopFromBins(bytes);
    return fresh != nullptr ? fresh : AllocateSlow(bytes, call);
  }
  const PagemapEntry entry = PagemapEntry::At(AddressOf(block));
  // Two events: one block ends and another begins, possibly at the same
  // address; after a failure, the old block again with all its usable bytes.
  if (EventsOn()) [[unlikely]] {
    RecordFree(entry, call);
  }
  void* moved = Resize(entry, kFunction, bytes, call);
  if (EventsOn()) [[unlikely]] {
    RecordResized(block, moved, bytes, call);
  }
  return moved;
}

}  // namespace

void* AllocateSlow(size_t bytes, Call call) {
  if (bytes > kMaxBytes) [[unlikely]] {
    return RefuseImpossible(bytes, 0, ENOMEM, call);
  }
  const Request request{bytes, 0, call};
  if (IsObserved()) [[unlikely]] {
    void* block =
        kNotesOriginsInSlabs ? nullptr : ThreadCache::AllocateNextRation(bytes);
    if (block != nullptr) return block;
    return Recorded(AllocateUnrecorded(request), request);
  }
  const Route route = RouteOf(request);
  // PopFromBins has already looked into the bin of the class.
  return route.HasClass() && !kNotesOriginsInSlabs
             ? AllocateFromClass(request, route)
             : AllocateOn(route, request);
}

void FreeSlow(void* block, Call call, BlockCall function) {
  if (block == nullptr) return;
  const PagemapEntry entry = PagemapEntry::At(AddressOf(block));
  const BlockCallScope scope(function, entry.address);
  FreeChecked(entry, call, function);
}

void FreeSized(void* block, SizedFreeHint hint, BlockCall function, Call call) {
  if constexpr (!kChecksFrees) return FreeSlow(block, call, function);
  if (block == nullptr) return;
  const PagemapEntry entry = PagemapEntry::At(AddressOf(block));
  const BlockCallScope scope(function, entry.address);
  CheckSizedFree(entry, hint, function, call);
  FreeChecked(entry, call, function);
}

void* AllocateZeroed(size_t bytes, Call call) {
  if (bytes > kMaxBytes) return RefuseImpossible(bytes, 0, ENOMEM, call);
  const Request request{bytes, 0, call};
  const Route route = RouteOf(request);
  if (!IsObserved()) [[likely]] {
    return AllocateZeroedOn(route, request);
  }
  const SampleDraw sample(request, route);
  void* block = sample.Allocate();
  block = block != nullptr ? memset(block, 0, bytes)
                           : sample.Sampled(AllocateZeroedOn(route, request));
  return Recorded(block, request);
}

void* AllocateAligned(size_t alignment, size_t bytes, Call call) {
  if (bytes > kMaxBytes || alignment > kMaxBytes) {
    return RefuseImpossible(bytes, alignment, ENOMEM, call);
  }
  const Request request{bytes, alignment, call};
  void* block = AllocateUnrecorded(request);
  return EventsOn() ? Recorded(block, request) : block;
}

void* Reallocate(void* block, size_t bytes, Call call) {
  return ReallocateAs<BlockCall::kRealloc>(block, bytes, call);
}

void* ReallocateForArray(void* block, size_t bytes, Call call) {
  return ReallocateAs<BlockCall::kReallocarray>(block, bytes, call);
}

// Not inline: its callers save no registers before calling it.
[[gnu::noinline]] void* RefuseImpossible(size_t bytes, size_t alignment,
                                         int error, Call call) {
  RecordImpossible(call.entry, bytes, alignment, error, call.caller);
  errno = error;
  return nullptr;
}

size_t UsableBytes(const void* block) {
  return block == nullptr
             ? 0
             : BytesOf(PagemapEntry::At(AddressOf(block)),
                       BlockCall::kUsableSize, __builtin_return_address(0));
}

size_t CollectAll() {
  const PurgeTurn turn(PurgeTurn::IfTaken::kWait);
  FlushThreads();
  return CollectEverything();
}

}  // namespace hakmem
