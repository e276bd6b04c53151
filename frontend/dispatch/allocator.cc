#include "frontend/dispatch/allocator.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ace/ace.h"
#include "backend/errors/error_reporting.h"
#include "backend/large/span_source.h"
#include "backend/memory/chunk_source.h"
#include "backend/spans/small_reserve.h"
#include "base/os/clock.h"
#include "base/os/os_memory.h"
#include "base/text/options.h"
#include "frontend/dispatch/occupancy.h"
#include "frontend/dispatch/origins.h"
#include "frontend/guard/guard.h"
#include "frontend/process/housekeeping.h"
#include "frontend/thread_cache/fallback_heap.h"
#include "frontend/thread_cache/in_use_check.h"
#include "frontend/thread_cache/retry_gate.h"
#include "frontend/thread_cache/thread_cache.h"
#include "linked_backend.h"
#include "tracing/events/events.h"
#include "tracing/failures/failure.h"

namespace hakmem {
namespace {

// No object may be larger: pointer differences in it would overflow.
constexpr size_t kMaxBytes = PTRDIFF_MAX;

uintptr_t AddressOf(const void* block) {
  return reinterpret_cast<uintptr_t>(block);
}

// What is asked for, and by whom.
struct Request {
  size_t bytes;
  size_t alignment;  // 0: none in particular
  Call call;
  bool can_do_without = false;  // a refusal is no failure
};

void RecordRefusal(const Request& request, hakmem_failure_layer_t layer,
                   SizeClass c) {
  if constexpr (!kTracing) return;
  const Occupancy held = OccupancyOf(layer, c);
  hakmem_failure_t failure = {};
  failure.entry = request.call.entry;
  failure.layer = layer;
  failure.error = ENOMEM;
  failure.size = request.bytes;
  failure.alignment = request.alignment;
  failure.class_bytes = ClassBytes(c);
  failure.live_bytes = held.live;
  failure.cached_bytes = held.cached;
  RecordFailure(&failure, request.call.caller);
}

// How long a gathering that found nothing is taken for the answer.
constexpr uint64_t kClosedMilliseconds = 100;

// Whether to give back what is free could make room for the request.
bool MayHelpToCollect(const Request& request) {
  if (std::max(request.bytes, request.alignment) >= os::kAddressSpaceBytes) {
    return false;
  }
  return !retry_gate.IsClosed(CoarseMilliseconds()) ||
         ThreadCache::ThisThreadHoldsBlocks();
}

// Gives all that is free back to the OS and runs `allocate`. When that found
// nothing and changed nothing, it need not be done again for a while.
template <typename Allocate>
auto CollectAndRun(Allocate&& allocate) {
  ThreadCache::FlushThisThread();
  ThreadCache::CollectEndedThreads();
  ThreadCache::FlushReserves();
  const uint64_t number = retry_gate.Begin();
  const size_t reserved = ChunkSource::BytesReserved();
  const size_t given_back = CollectEverything();
  auto result = allocate();
  // A region that was unmapped, or one mapped in vain by the new attempt, which
  // the next gathering would unmap.
  if (given_back == 0 && ChunkSource::BytesReserved() == reserved) {
    retry_gate.Close(number, CoarseMilliseconds() + kClosedMilliseconds);
  }
  return result;
}

// What becomes of a request that `allocate`, which returns something false on
// failure, could not serve: once all that is free went back to the OS, where
// that may help, it is run once more, and then `last_resort`. A request that
// fails for good is recorded; errno is set.
template <typename Allocate, typename LastResort>
auto AfterRefusal(const Request& request, hakmem_failure_layer_t layer,
                  SizeClass c, Allocate&& allocate, LastResort&& last_resort) {
  decltype(allocate()) result{};
  if (FallbackHeap::IsInEmergency()) {
    // What follows takes locks.
    errno = ENOMEM;
    return result;
  }
  if (MayHelpToCollect(request)) result = CollectAndRun(allocate);
  if (!result) result = last_resort();
  if (!result && !request.can_do_without) {
    RecordRefusal(request, layer, c);
    errno = ENOMEM;
  }
  return result;
}

// A small block from the reserve, when nothing else serves it. Not where ACE
// has a limit, beyond which nothing of its sizes may be served.
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

// Runs `allocate`, with what follows when it fails.
template <typename Allocate, typename LastResort>
auto WithRetry(const Request& request, hakmem_failure_layer_t layer,
               SizeClass c, Allocate&& allocate, LastResort&& last_resort) {
  auto result = allocate();
  if (result) [[likely]] {
    return result;
  }
  return AfterRefusal(request, layer, c, allocate, last_resort);
}

void* AllocateFromClass(SizeClass c, const Request& request) {
  return WithRetry(
      request, IsMid(c) ? HAKMEM_LAYER_ACE : HAKMEM_LAYER_BACKEND, c,
      [c] { return ThreadCache::Allocate(c); },
      [&] { return TakeFromReserve(request); });
}

SpanAllocation AllocateSpan(const Request& request, Ace::Contents contents) {
  const bool is_large =
      std::max(request.bytes, request.alignment) > kMaxSpanBytes;
  return WithRetry(
      request, is_large ? HAKMEM_LAYER_LARGE : HAKMEM_LAYER_ACE,
      SizeClass::kNone,
      [&] {
        return ThreadCache::AllocateSpan(request.bytes, request.alignment,
                                         contents);
      },
      [&] { return TakeSpanFromReserve(request); });
}

void* PointerTo(const SpanAllocation& span) {
  return reinterpret_cast<void*>(span.address);
}

// The class that serves it; kNone when it takes a span.
SizeClass ClassFor(const Request& request) {
  if (request.bytes > kMaxTinyBytes) {
    return Ace::ClassFor(request.bytes, request.alignment);
  }
  if (request.alignment <= kBlockAlignment) return ClassOf(request.bytes);
  const SizeClass c = AlignedClassOf(request.bytes, request.alignment);
  return IsMid(c) ? SizeClass::kNone : c;
}

// Once in a while, while blocks are sampled, a guarded block.
void* SampleGuarded(const Request& request) {
  if (!Guard::IsOn()) [[likely]] {
    return nullptr;
  }
  return Guard::Sample(request.bytes, request.alignment, request.call.caller);
}

// What PopFromBins finds, or a block from where the bins get theirs.
void* AllocateAny(const Request& request) {
  if (void* guarded = SampleGuarded(request)) return guarded;
  const SizeClass c = ClassFor(request);
  return c != SizeClass::kNone
             ? AllocateFromClass(c, request)
             : PointerTo(AllocateSpan(request, Ace::Contents::kAny));
}

void* AllocateAnyZeroed(const Request& request) {
  if (void* guarded = SampleGuarded(request)) {
    return memset(guarded, 0, request.bytes);
  }
  const SizeClass c = ClassFor(request);
  if (c != SizeClass::kNone) {
    void* block = thread_tables.ForPop()->Pop(c);
    if (block == nullptr) block = AllocateFromClass(c, request);
    return block == nullptr ? nullptr : memset(block, 0, request.bytes);
  }
  const SpanAllocation span = AllocateSpan(request, Ace::Contents::kZero);
  if (span && !span.is_zero) memset(PointerTo(span), 0, request.bytes);
  return PointerTo(span);
}

inline void FreeAnywhere(void* block, Call call) {
  const uintptr_t address = AddressOf(block);
  const SizeClass c = Pagemap::ClassAt(address);
  if (c != SizeClass::kNone) return ThreadCache::Free(c, block);
  if (Guard::Owns(address)) [[unlikely]] {
    return Guard::Free(address, call.caller);
  }
  ThreadCache::FreeSpan(address);
}

// As UsableBytes. A bad block is found in passing: `kFunction` is noted only
// then.
template <BlockCall kFunction>
[[gnu::always_inline]] inline size_t UsableBytesFor(const void* block) {
  const uintptr_t address = AddressOf(block);
  const SizeClass c = Pagemap::ClassAt(address);
  if (c == SizeClass::kNone) {
    if (Guard::Owns(address)) [[unlikely]] {
      return Guard::BytesAt(address, kFunction, __builtin_return_address(0));
    }
    const size_t bytes = Ace::BytesAt(address);
    if (bytes == 0) [[unlikely]] {
      BlockCallScope::NoteIfNone(kFunction, address);
      SpanSource::AbortOnBadAddress(address);
    }
    return bytes;
  }
  if constexpr (kChecksFrees) {
    AbortUnlessInUse(c, block, kFunction);
  } else {
    const Slab* slab =
        IsMid(c) ? Ace::SlabAt(address) : LinkedBackend::SlabAt(address);
    if (slab->BlockAt(address) == Slab::kNotABlock) [[unlikely]] {
      BlockCallScope::NoteIfNone(kFunction, address);
      AbortOnBadSlabFree(slab->Layout(), address);
    }
  }
  return ClassBytes(c);
}

template <BlockCall kFunction>
[[gnu::always_inline]] inline void* Resize(void* block,
                                           const Request& request) {
  const size_t bytes = request.bytes;
  const size_t usable = UsableBytesFor<kFunction>(block);
  CheckOrigin(block, kFunction);
  if (StaysInPlace(usable, bytes)) return block;
  if (bytes > kMaxBytes) {
    return RefuseImpossible(bytes, 0, ENOMEM, request.call);
  }
  if (usable > kMaxMidBytes && bytes > kMaxMidBytes) {
    const uintptr_t resized = ThreadCache::ResizeSpan(AddressOf(block), bytes);
    if (resized != 0) return reinterpret_cast<void*>(resized);
  }
  // A block that need not grow is better kept than lost.
  const bool fits = bytes <= usable;
  void* moved = AllocateAny({bytes, 0, request.call, fits});
  if (moved == nullptr) return fits ? block : nullptr;
  memcpy(moved, block, std::min(usable, bytes));
  const BlockCallScope scope(kFunction, AddressOf(block));
  FreeAnywhere(block, request.call);
  return moved;
}

// As UsableBytes, of a block that is about to be freed, or moved.
[[gnu::noinline]] size_t BytesToFree(const void* block, Call call) {
  const uintptr_t address = AddressOf(block);
  const BlockCall function =
      call.entry == HAKMEM_ENTRY_REALLOC        ? BlockCall::kRealloc
      : call.entry == HAKMEM_ENTRY_REALLOCARRAY ? BlockCall::kReallocarray
                                                : BlockCallScope::Of(address);
  const BlockCallScope scope(function, address);
  return Guard::Owns(address) ? Guard::BytesAt(address, function, call.caller)
                              : UsableBytes(block);
}

// Tells of `block` before it is free: after that, another thread may be given
// it and tell first.
void RecordFree(const void* block, Call call) {
  if (EventsOn()) [[unlikely]] {
    RecordEvent(Operation::kFree, block, 0, BytesToFree(block, call),
                call.caller);
  }
}

// Hands `block` to the program: an event, when they are on.
void* Told(void* block, const Request& request) {
  if (EventsOn() && block != nullptr) {
    RecordEvent(Operation::kAllocate, block, request.bytes, UsableBytes(block),
                request.call.caller);
  }
  return block;
}

template <BlockCall kFunction>
[[gnu::always_inline]] inline void* ReallocateAs(void* block, size_t bytes,
                                                 Call call) {
  if (block == nullptr) {
    void* fresh = PopFromBins(bytes);
    return fresh != nullptr ? fresh : AllocateSlow(bytes, call);
  }
  // Two events: one block ends and another begins, though it may be the same
  // again; when nothing came of it, with all the bytes it has.
  RecordFree(block, call);
  void* moved = Resize<kFunction>(block, {bytes, 0, call});
  if (EventsOn()) {
    const void* now = moved != nullptr ? moved : block;
    const size_t usable = UsableBytes(now);
    RecordEvent(Operation::kReallocate, now, moved != nullptr ? bytes : usable,
                usable, call.caller);
  }
  return moved;
}

}  // namespace

void* AllocateSlow(size_t bytes, Call call) {
  if (bytes > kMaxBytes) [[unlikely]] {
    return RefuseImpossible(bytes, 0, ENOMEM, call);
  }
  const Request request{bytes, 0, call};
  // The short ways first: a mid block from its bin, a span that is to be had.
  if (bytes > kMaxTinyBytes && bytes <= kMaxSpanBytes &&
      !ThreadCache::SeesEveryCall()) {
    const SizeClass c = Ace::ClassFor(bytes, kBlockAlignment);
    if (c != SizeClass::kNone) {
      void* block = thread_tables.ForPop()->Pop(c);
      if (block != nullptr) [[likely]] {
        return block;
      }
    } else {
      const auto allocate = [bytes] {
        return ThreadCache::AllocateSpan(bytes, kBlockAlignment,
                                         Ace::Contents::kAny);
      };
      const SpanAllocation span = allocate();
      if (span) [[likely]] {
        return PointerTo(span);
      }
      return Told(PointerTo(AfterRefusal(
                      request, HAKMEM_LAYER_ACE, SizeClass::kNone, allocate,
                      [&] { return TakeSpanFromReserve(request); })),
                  request);
    }
  }
  return Told(AllocateAny(request), request);
}

void FreeSlow(void* block, Call call, BlockCall function) {
  if (block == nullptr) return;
  const BlockCallScope scope(function, AddressOf(block));
  CheckOrigin(block, function);
  RecordFree(block, call);
  FreeAnywhere(block, call);
}

void FreeInTerms(void* block, SizedFreeHint terms, BlockCall function,
                 Call call) {
  if (block == nullptr) return;
  if constexpr (kChecksFrees) CheckTerms(block, terms, function);
  FreeSlow(block, call, function);
}

void* AllocateZeroed(size_t bytes, Call call) {
  if (bytes > kMaxBytes) return RefuseImpossible(bytes, 0, ENOMEM, call);
  const Request request{bytes, 0, call};
  return Told(AllocateAnyZeroed(request), request);
}

void* AllocateAligned(size_t alignment, size_t bytes, Call call) {
  if (bytes > kMaxBytes || alignment > kMaxBytes) {
    return RefuseImpossible(bytes, alignment, ENOMEM, call);
  }
  const Request request{bytes, alignment, call};
  return Told(AllocateAny(request), request);
}

void* Reallocate(void* block, size_t bytes, Call call) {
  return ReallocateAs<BlockCall::kRealloc>(block, bytes, call);
}

void* ReallocateForArray(void* block, size_t bytes, Call call) {
  return ReallocateAs<BlockCall::kReallocarray>(block, bytes, call);
}

// Not inline: its callers save no registers on the way here.
[[gnu::noinline]] void* RefuseImpossible(size_t bytes, size_t alignment,
                                         int error, Call call) {
  RecordImpossible(call.entry, bytes, alignment, error, call.caller);
  errno = error;
  return nullptr;
}

size_t UsableBytes(const void* block) {
  return block == nullptr ? 0 : UsableBytesFor<BlockCall::kUsableSize>(block);
}

size_t CollectAll() {
  ThreadCache::FlushThisThread();
  ThreadCache::CollectEndedThreads();
  ThreadCache::FlushReserves();
  return CollectEverything();
}

}  // namespace hakmem
