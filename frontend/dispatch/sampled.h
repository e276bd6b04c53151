// Blocks that are sampled (frontend/sampling/sampling.h): a guarded block, or
// one recorded in the heap profile.
//
// A profiled block of a size class is a span of its own, at least a page, so
// that its free comes to the slow path; for the program it is as large as a
// block of the class. Other profiled blocks are served as ever.
#ifndef HAKMEM_FRONTEND_DISPATCH_SAMPLED_H_
#define HAKMEM_FRONTEND_DISPATCH_SAMPLED_H_

#include <cstddef>
#include <cstdint>

#include "ace/ace.h"
#include "backend/memory/pagemap_entry.h"
#include "frontend/dispatch/refusal.h"
#include "frontend/dispatch/route.h"
#include "frontend/sampling/sampling.h"
#include "frontend/thread_cache/thread_cache.h"
#include "tracing/profile/profile.h"

namespace hakmem {

// Whether one request is to be sampled, and the sample. Both must outlive it.
class SampleDraw {
 public:
  [[gnu::cold]] SampleDraw(const Request& request, const Route& route);

  // The block, if the sample is a special one; else null, and the caller
  // allocates on the route.
  [[gnu::cold]] void* Allocate() const;

  // Takes the sample of `block`, from the route, or null; returns it.
  [[gnu::cold]] void* Sampled(void* block) const;

 private:
  void* AllocateGuarded() const;
  void* AllocateProfiled() const;

  const Request& request_;
  const Route& route_;
  Sampling::Due due_ = Sampling::Due::kNothing;
};

namespace internal {
[[gnu::cold]] void ForgetSampledSlow(uintptr_t address);
[[gnu::cold]] Ace::Resized ResizeSampledSlow(PagemapEntry entry, size_t bytes,
                                             Call call);
}  // namespace internal

// Call it before the span or large block at `address` is freed.
inline void ForgetSampled(uintptr_t address) {
  if (Profile::MayHold(address)) [[unlikely]] {
    internal::ForgetSampledSlow(address);
  }
}

// ThreadCache::ResizeSpanOrLarge. A block that is resized in place is for the
// profile one that ends and one that begins, as if it had moved.
inline Ace::Resized ResizeSampled(PagemapEntry entry, size_t bytes, Call call) {
  if (Sampling::IsOn() || Profile::MayHold(entry.address)) [[unlikely]] {
    return internal::ResizeSampledSlow(entry, bytes, call);
  }
  return ThreadCache::ResizeSpanOrLarge(entry, bytes);
}

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_DISPATCH_SAMPLED_H_
