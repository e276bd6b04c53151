// Unclassified sizes: counts, per range of sizes, the requests for which no
// class stays within the waste cap, and which got a span of their own. Shows
// which sizes need a class.
//
// A range is an eighth of a doubling, from 2 KiB to 2 MiB; one range below and
// one above take the rest. Nothing is counted with --//tracing=off.
#ifndef HAKMEM_TRACING_COUNTERS_UNCLASSIFIED_SIZES_H_
#define HAKMEM_TRACING_COUNTERS_UNCLASSIFIED_SIZES_H_

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/build_config.h"
#include "base/sync/single_thread.h"

namespace hakmem {

struct UnclassifiedRange {
  static constexpr int kFirstBits = 11;  // 2 KiB
  static constexpr int kLastBits = 21;   // 2 MiB
  static constexpr int kPartBits = 3;    // an eighth
  static constexpr size_t kCount =
      (size_t{kLastBits - kFirstBits} << kPartBits) + 2;

  // The range of a request of `bytes`.
  static constexpr size_t Of(size_t bytes) {
    if (bytes <= size_t{1} << kFirstBits) return 0;
    if (bytes > size_t{1} << kLastBits) return kCount - 1;
    // A range includes its upper end and not its lower one.
    const int bits = std::bit_width(bytes - 1) - 1;
    const size_t part = ((bytes - 1) >> (bits - kPartBits)) & 7;
    return 1 + (static_cast<size_t>(bits - kFirstBits) << kPartBits) + part;
  }

  // The smallest and the largest size in range `index`.
  static constexpr size_t Least(size_t index) {
    return index == 0 ? 1 : Most(index - 1) + 1;
  }
  static constexpr size_t Most(size_t index) {
    if (index == kCount - 1) return SIZE_MAX;
    const size_t doubling = index >> kPartBits;
    return (size_t{8} + index % 8) << (kFirstBits - kPartBits + doubling);
  }
};

namespace internal {

struct RoutingCount {
  std::atomic<uint64_t> requests;
  std::atomic<uint64_t> bytes;
};

inline void AddTo(std::atomic<uint64_t>& sum, uint64_t count) {
  // relaxed: a count orders nothing.
  if (IsStillSingleThreaded()) {
    sum.store(sum.load(std::memory_order_relaxed) + count,
              std::memory_order_relaxed);
  } else {
    sum.fetch_add(count, std::memory_order_relaxed);
  }
}

inline constinit RoutingCount routing_counts[UnclassifiedRange::kCount]{};

}  // namespace internal

// Counts one request of `bytes`. Thread-safe.
inline void CountUnclassified(size_t bytes) {
  if constexpr (kTracing) {
    internal::RoutingCount& count =
        internal::routing_counts[UnclassifiedRange::Of(bytes)];
    internal::AddTo(count.requests, 1);
    internal::AddTo(count.bytes, bytes);
  }
}

struct Routing {
  size_t least;       // the range: smallest size in bytes,
  size_t most;        // and largest
  uint64_t requests;  // in the range
  uint64_t bytes;     // requested in total
};

// The counts of range `index`, below UnclassifiedRange::kCount.
inline Routing RoutingOf(size_t index) {
  Routing routing = {UnclassifiedRange::Least(index),
                     UnclassifiedRange::Most(index), 0, 0};
  if constexpr (kTracing) {
    const internal::RoutingCount& count = internal::routing_counts[index];
    routing.requests = count.requests.load(std::memory_order_relaxed);
    routing.bytes = count.bytes.load(std::memory_order_relaxed);
  }
  return routing;
}

}  // namespace hakmem

#endif  // HAKMEM_TRACING_COUNTERS_UNCLASSIFIED_SIZES_H_
