#include "frontend/dispatch/sampled.h"

#include <algorithm>

#include "backend/spans/span.h"
#include "frontend/guard/guard.h"
#include "frontend/thread_cache/fallback_heap.h"
#include "frontend/thread_cache/thread_cache.h"
#include "tracing/profile/profile_dump.h"

namespace hakmem {
namespace {

// What a request without a class is drawn for: whole pages, as it is served.
size_t ServedBytes(size_t bytes) {
  return std::max((bytes + kPageBytes - 1) & ~(kPageBytes - 1), kPageBytes);
}

}  // namespace

SampleDraw::SampleDraw(const Request& request, const Route& route)
    : request_(request), route_(route) {
  // A thread on which the process is being aborted takes no lock.
  if (!Sampling::IsOn() || FallbackHeap::IsInEmergency()) return;
  if (Profile::IsDumpRequested() && Profile::TakeDumpRequest()) {
    WriteProfileAsAsked();
  }
  due_ = route.HasClass() ? ThreadCache::DueSample(route.size_class)
                          : Sampling::DrawFor(ServedBytes(request.bytes));
}

void* SampleDraw::Allocate() const {
  switch (due_) {
    case Sampling::Due::kNothing:
      return nullptr;
    case Sampling::Due::kGuard:
      return AllocateGuarded();
    case Sampling::Due::kProfile:
      return route_.HasClass() ? AllocateProfiled() : nullptr;
  }
  return nullptr;
}

void* SampleDraw::Sampled(void* block) const {
  const auto address = reinterpret_cast<uintptr_t>(block);
  // Not one of the small reserve, whose free is not looked up.
  if (due_ == Sampling::Due::kProfile && !route_.HasClass() &&
      PagemapEntry::At(address).kind() != PagemapEntryKind::kNone) {
    const Sampling::Pause pause;
    (void)Profile::Record(address, ServedBytes(request_.bytes), 0,
                          request_.call.caller);
  }
  return block;
}

void* SampleDraw::AllocateGuarded() const {
  const Sampling::Pause pause;
  const auto end = (Sampling::Random() >> 63) != 0 ? GuardedPool::End::kRight
                                                   : GuardedPool::End::kLeft;
  return Guard::Allocate(request_.bytes, request_.alignment, end,
                         request_.call.caller);
}

// Null when it cannot be had: then the route serves the request.
void* SampleDraw::AllocateProfiled() const {
  const size_t bytes = ClassBytes(route_.size_class);
  const SpanAllocation span =
      ThreadCache::AllocateSpan(bytes, request_.alignment);
  if (!span) return nullptr;
  const Sampling::Pause pause;
  if (Profile::Record(span.address, bytes, bytes, request_.call.caller)) {
    return reinterpret_cast<void*>(span.address);
  }
  ThreadCache::FreeSpanOrLarge(PagemapEntry::At(span.address));
  return nullptr;
}

void internal::ForgetSampledSlow(uintptr_t address) {
  if (!FallbackHeap::IsInEmergency()) Profile::Forget(address);
}

Ace::Resized internal::ResizeSampledSlow(PagemapEntry entry, size_t bytes,
                                         Call call) {
  if (FallbackHeap::IsInEmergency()) return {};
  // Before: afterwards another thread may get the address.
  const Profile::Sample before = Profile::Take(entry.address);
  const Ace::Resized resized = ThreadCache::ResizeSpanOrLarge(entry, bytes);
  if (!resized) {
    Profile::PutBack(before);
  } else if (Sampling::IsOn() &&
             Sampling::DrawFor(ServedBytes(bytes)) == Sampling::Due::kProfile) {
    const Sampling::Pause pause;
    (void)Profile::Record(resized.address, ServedBytes(bytes), 0, call.caller);
  }
  return resized;
}

}  // namespace hakmem
