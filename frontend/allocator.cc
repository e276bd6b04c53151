#include "frontend/allocator.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ace/ace.h"
#include "backend/bad_free.h"
#include "backend/small_reserve.h"
#include "backend/span_source.h"
#include "base/clock.h"
#include "base/options.h"
#include "frontend/guard.h"
#include "frontend/housekeeping.h"
#include "frontend/thread_cache.h"
#include "frontend/without_cache.h"
#include "linked_backend.h"
#include "tracing/events.h"
#include "tracing/failure.h"

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

// Adds what slabs of a class hold, in use (or in bins) and free.
struct ClassOccupancy {
  SizeClass size_class;
  uint64_t live = 0;
  uint64_t cached = 0;

  static void Add(const Slab& slab, void* occupancy) {
    auto* sum = static_cast<ClassOccupancy*>(occupancy);
    if (slab.size_class != sum->size_class) return;
    sum->cached += uint64_t{slab.block_bytes} * slab.free_count;
    sum->live += uint64_t{slab.block_bytes} *
                 (uint64_t{slab.block_count} - slab.free_count);
  }
};

// Fills in what the class that could not serve holds, or for want of one what
// all spans or large blocks do.
void TellOccupancy(SizeClass c, FailedRequest& failed) {
  if (c != SizeClass::kNone) {
    ClassOccupancy sum{c};
    IsMid(c) ? Ace::VisitSlabs(&ClassOccupancy::Add, &sum)
             : LinkedBackend::VisitSlabs(&ClassOccupancy::Add, &sum);
    failed.live = sum.live;
    failed.cached = sum.cached;
  } else if (failed.layer != Layer::kFrontend) {
    const Ace::Totals totals = Ace::Sum();
    const bool is_large = failed.layer == Layer::kLarge;
    failed.cached = is_large ? totals.large_cached : totals.shared_cached;
    failed.live = is_large ? totals.large_bytes
                           : totals.span_bytes - totals.shared_cached;
  }
}

void RecordRefusal(const Request& request, Layer layer, SizeClass c,
                   int error) {
  if constexpr (!kTracing) return;
  FailedRequest failed;
  failed.entry = request.call.entry;
  failed.layer = layer;
  failed.bytes = request.bytes;
  failed.alignment = request.alignment;
  failed.class_bytes = ClassBytes(c);
  failed.error = error;
  TellOccupancy(c, failed);
  RecordFailure(failed);
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

// Runs `allocate`, which returns something false on failure. When it fails, all
// that is free goes back to the OS and it is run once more, and then
// `last_resort`. A request that fails for good is recorded; errno is set.
template <typename Allocate, typename LastResort>
auto WithRetry(const Request& request, Layer layer, SizeClass c,
               Allocate&& allocate, LastResort&& last_resort) {
  auto result = allocate();
  if (result) [[likely]] {
    return result;
  }
  if (WithoutCache::IsInEmergency()) {
    // What follows takes locks.
    errno = ENOMEM;
    return result;
  }
  CollectAll();
  result = allocate();
  if (!result) result = last_resort();
  if (!result && !request.can_do_without) {
    RecordRefusal(request, layer, c, ENOMEM);
    errno = ENOMEM;
  }
  return result;
}

void* AllocateFromClass(SizeClass c, const Request& request) {
  return WithRetry(
      request, IsMid(c) ? Layer::kAce : Layer::kBackend, c,
      [c] { return ThreadCache::Allocate(c); },
      [&] { return TakeFromReserve(request); });
}

SpanAllocation AllocateSpan(const Request& request, Ace::Contents contents) {
  if (request.bytes > kMaxBytes || request.alignment > kMaxBytes) {
    RefuseImpossible(request.bytes, request.alignment, ENOMEM, request.call);
    return {};
  }
  const bool is_large =
      std::max(request.bytes, request.alignment) > kMaxSpanBytes;
  return WithRetry(
      request, is_large ? Layer::kLarge : Layer::kAce, SizeClass::kNone,
      [&] {
        return ThreadCache::AllocateSpan(request.bytes, request.alignment,
                                         contents);
      },
      [&] {
        return SpanAllocation{
            reinterpret_cast<uintptr_t>(TakeFromReserve(request)), false};
      });
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
    void* block = ThreadBinsNow()->Pop(c);
    if (block == nullptr) block = AllocateFromClass(c, request);
    return block == nullptr ? nullptr : memset(block, 0, request.bytes);
  }
  const SpanAllocation span = AllocateSpan(request, Ace::Contents::kZero);
  if (span && !span.is_zero) memset(PointerTo(span), 0, request.bytes);
  return PointerTo(span);
}

inline void FreeAnywhere(void* block, Call call) {
  const uintptr_t address = AddressOf(block);
  const SizeClass c = AddressMap::ClassAt(address);
  if (c != SizeClass::kNone) return ThreadCache::Free(c, block);
  if (Guard::Owns(address)) [[unlikely]] {
    return Guard::Free(address, call.caller);
  }
  ThreadCache::FreeSpan(address);
}

void* Resize(void* block, const Request& request) {
  const size_t bytes = request.bytes;
  const size_t usable = UsableBytes(block);
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
  FreeAnywhere(block, request.call);
  return moved;
}

// As UsableBytes, of a block that is about to be freed.
[[gnu::noinline]] size_t BytesToFree(const void* block, const void* caller) {
  const uintptr_t address = AddressOf(block);
  return Guard::Owns(address) ? Guard::BytesAt(address, Use::kFree, caller)
                              : UsableBytes(block);
}

// Tells of `block` before it is free: after that, another thread may be given
// it and tell first.
void TellFree(const void* block, Call call) {
  if (EventsOn()) [[unlikely]] {
    RecordEvent(Operation::kFree, block, 0, BytesToFree(block, call.caller),
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

}  // namespace

void* AllocateSlow(size_t bytes, Call call) {
  // The short ways first: a mid block from its bin, a span that is to be had.
  if (bytes > kMaxTinyBytes && bytes <= kMaxSpanBytes &&
      !ThreadCache::SeesEveryCall()) {
    const SizeClass c = Ace::ClassFor(bytes, kBlockAlignment);
    if (c != SizeClass::kNone) {
      void* block = ThreadBinsNow()->Pop(c);
      if (block != nullptr) [[likely]] {
        return block;
      }
    } else {
      const SpanAllocation span = ThreadCache::AllocateSpan(
          bytes, kBlockAlignment, Ace::Contents::kAny);
      if (span) [[likely]] {
        return PointerTo(span);
      }
    }
  }
  const Request request{bytes, 0, call};
  return Told(AllocateAny(request), request);
}

void FreeSlow(void* block, Call call) {
  if (block == nullptr) return;
  TellFree(block, call);
  FreeAnywhere(block, call);
}

void FreeInTerms(void* block, FreeTerms terms, Origin origin, Call call) {
  if (block == nullptr) return;
  if constexpr (kChecksFrees) CheckTerms(block, terms, origin);
  FreeSlow(block, call);
}

void* AllocateZeroed(size_t bytes, Call call) {
  const Request request{bytes, 0, call};
  return Told(AllocateAnyZeroed(request), request);
}

void* AllocateAligned(size_t alignment, size_t bytes, Call call) {
  const Request request{bytes, alignment, call};
  return Told(AllocateAny(request), request);
}

void* Reallocate(void* block, size_t bytes, Call call) {
  if (block == nullptr) {
    void* fresh = PopFromBins(bytes);
    return fresh != nullptr ? fresh : AllocateSlow(bytes, call);
  }
  // Two events: one block ends and another begins, though it may be the same
  // again; when nothing came of it, with all the bytes it has.
  TellFree(block, call);
  void* moved = Resize(block, {bytes, 0, call});
  if (EventsOn()) {
    const void* now = moved != nullptr ? moved : block;
    const size_t usable = UsableBytes(now);
    RecordEvent(Operation::kReallocate, now, moved != nullptr ? bytes : usable,
                usable, call.caller);
  }
  return moved;
}

void* RefuseImpossible(size_t bytes, size_t alignment, int error, Call call) {
  NoteThreshold();
  RecordRefusal({bytes, alignment, call}, Layer::kFrontend, SizeClass::kNone,
                error);
  errno = error;
  return nullptr;
}

size_t UsableBytes(const void* block) {
  if (block == nullptr) return 0;
  const uintptr_t address = AddressOf(block);
  const SizeClass c = AddressMap::ClassAt(address);
  if (c == SizeClass::kNone) {
    if (Guard::Owns(address)) [[unlikely]] {
      return Guard::BytesAt(address, Use::kMeasure,
                            __builtin_return_address(0));
    }
    const size_t bytes = Ace::BytesAt(address);
    if (bytes == 0) SpanSource::AbortOnBadAddress(address);
    return bytes;
  }
  const Slab* slab =
      IsMid(c) ? Ace::SlabAt(address) : LinkedBackend::SlabAt(address);
  if (slab->BlockAt(address) == Slab::kNotABlock) {
    AbortOnBadSlabFree(*slab, address);
  }
  return ClassBytes(c);
}

size_t CollectAll() {
  ThreadCache::FlushThisThread();
  ThreadCache::CollectEndedThreads();
  return CollectEverything();
}

}  // namespace hakmem
