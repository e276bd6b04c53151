// What follows when the OS refuses a request: all free memory is returned to
// it, and the request is tried once more.
//
// A template, so that the part that is tried is the caller's own. Thread-safe.
// Takes locks, and waits for a thread that returns memory just now: call it
// holding no lock.
#ifndef HAKMEM_FRONTEND_DISPATCH_REFUSAL_H_
#define HAKMEM_FRONTEND_DISPATCH_REFUSAL_H_

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "backend/memory/chunk_source.h"
#include "backend/memory/purge_turn.h"
#include "base/os/clock.h"
#include "base/os/os_memory.h"
#include "frontend/dispatch/call.h"
#include "frontend/dispatch/route.h"
#include "frontend/process/housekeeping.h"
#include "frontend/thread_cache/fallback_heap.h"
#include "frontend/thread_cache/retry_gate.h"

namespace hakmem {

// A request of the program.
struct Request {
  size_t bytes;
  size_t alignment;  // 0: default
  Call call;
  bool can_do_without = false;  // a refusal is no failure
};

// Moves free blocks of all threads to where CollectEverything finds them.
void FlushThreads();

namespace internal {

// The record of a failure, for hakmem_failures and the log.
void RecordRefusal(const Request& request, const Route& route);

// Whether returning free memory to the OS could make room for a request.
bool MayHelpToCollect();

// How long the result of a sweep that found nothing holds.
inline constexpr uint64_t kClosedMilliseconds = 100;

// Whether no memory that could come free would serve the request.
inline bool IsBeyondAddressSpace(const Request& request) {
  return std::max(request.bytes, request.alignment) >= os::kAddressSpaceBytes;
}

// Returns all free memory to the OS, then runs `allocate`. If there was nothing
// to return and nothing changed, closes the retry gate for a while.
template <typename Allocate>
auto CollectAndRun(Allocate&& allocate) {
  const PurgeTurn turn(PurgeTurn::IfTaken::kWait);
  FlushThreads();
  const uint64_t number = retry_gate.Begin();
  const size_t reserved = ChunkSource::BytesReserved();
  const size_t given_back = CollectEverything();
  auto result = allocate();
  // Reserved bytes also change when a region was unmapped, or when the new
  // attempt mapped one in vain, which the next sweep would unmap.
  if (given_back == 0 && ChunkSource::BytesReserved() == reserved) {
    retry_gate.Close(number, CoarseMilliseconds() + kClosedMilliseconds);
  }
  return result;
}

}  // namespace internal

// Handles a request that `allocate`, which returns something false on failure,
// could not serve: where it may help, returns all free memory to the OS and
// runs `allocate` once more, then `last_resort`. `gate` is the state of the
// retry gate before the refusal. Records a final failure and sets errno.
template <typename Allocate, typename LastResort>
[[gnu::cold, gnu::noinline]] auto AfterRefusal(const Request& request,
                                               const Route& route,
                                               uint64_t gate,
                                               Allocate&& allocate,
                                               LastResort&& last_resort) {
  decltype(allocate()) result{};
  if (FallbackHeap::IsInEmergency()) {
    // The steps below take locks.
    errno = ENOMEM;
    return result;
  }
  if (!internal::IsBeyondAddressSpace(request)) {
    if (internal::MayHelpToCollect()) {
      result = internal::CollectAndRun(allocate);
    } else if (retry_gate.State() != gate) {
      result = allocate();
    }
  }
  if (!result) result = last_resort();
  if (!result && !request.can_do_without) {
    internal::RecordRefusal(request, route);
    errno = ENOMEM;
  }
  return result;
}

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_DISPATCH_REFUSAL_H_
