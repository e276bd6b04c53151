#include "frontend/dispatch/refusal.h"

#include "base/build_config.h"
#include "frontend/dispatch/occupancy.h"
#include "frontend/thread_cache/thread_cache.h"
#include "tracing/failures/failure.h"

namespace hakmem {

void FlushThreads() {
  ThreadCache::FlushThisThread();
  ThreadCache::CollectEndedThreads();
  ThreadCache::FlushReserves();
}

void internal::RecordRefusal(const Request& request, const Route& route) {
  if constexpr (!kTracing) return;
  const Occupancy held = OccupancyOf(route.layer(), route.size_class);
  hakmem_failure_t failure = {};
  failure.entry = request.call.entry;
  failure.layer = route.layer();
  failure.error = ENOMEM;
  failure.size = request.bytes;
  failure.alignment = request.alignment;
  failure.class_bytes = ClassBytes(route.size_class);
  failure.live_bytes = held.live;
  failure.cached_bytes = held.cached;
  RecordFailure(&failure, request.call.caller);
}

bool internal::MayHelpToCollect() {
  return !retry_gate.IsClosed(CoarseMilliseconds()) ||
         ThreadCache::ThisThreadHoldsBlocks();
}

}  // namespace hakmem
