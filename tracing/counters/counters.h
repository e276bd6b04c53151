// Event counters: what the allocator did since the process started.
//
// A leaf: allocates nothing and calls nothing. All events are counted off the
// hot path; with --//tracing=off nothing is counted.
//
//   Count(Event::kRefill);
//
// Threads are spread over several cache lines (stripes), so that concurrent
// refills do not contend for one.
#ifndef HAKMEM_TRACING_COUNTERS_COUNTERS_H_
#define HAKMEM_TRACING_COUNTERS_COUNTERS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/build_config.h"
#include "base/sync/single_thread.h"

namespace hakmem {

enum class Event : size_t {
  kRefill,         // batches from the back-end
  kRefilledBlock,  // blocks in them
  kDrain,          // batches returned to the back-end
  kDrainedBlock,   // blocks in them
  kRemoteFree,     // of the drained blocks: delivered to another owner
  kPurge,          // advice calls that purged pages
  kPurgedByte,     // bytes they purged
  kMapCall,        // address space requests to the OS
  kMapFailure,     // of those: refused
  kBinGrown,       // bins whose limit was raised
  kClassBegun,     // span lengths that a thread began to cache
  kClassRetired,   // of those: no longer cached
  kFlushOnGrowth,  // times that a thread flushed its bins as the heap grew
  kCount
};

namespace internal {

inline constexpr size_t kStripes = 8;

struct alignas(64) CounterStripe {
  std::atomic<uint64_t> counts[static_cast<size_t>(Event::kCount)];
};

inline constinit CounterStripe counter_stripes[kStripes]{};

// Threads have separate stacks, far apart: the address of a local identifies
// them well enough, without thread-local storage.
inline size_t StripeOfThisThread() {
  const char local = 0;
  return (reinterpret_cast<uintptr_t>(&local) >> 16) * 0x9E3779B1u >> 8 &
         (kStripes - 1);
}

}  // namespace internal

// Adds `count` to `event`. Thread-safe.
inline void Count(Event event, uint64_t count = 1) {
  if constexpr (kTracing) {
    std::atomic<uint64_t>& sum =
        internal::counter_stripes[internal::StripeOfThisThread()]
            .counts[static_cast<size_t>(event)];
    // relaxed: a count orders nothing. A few counts may be lost while a second
    // thread starts that the C library does not know.
    if (IsStillSingleThreaded()) {
      sum.store(sum.load(std::memory_order_relaxed) + count,
                std::memory_order_relaxed);
    } else {
      sum.fetch_add(count, std::memory_order_relaxed);
    }
  }
}

// The count of `event` so far, over all threads; 0 with --//tracing=off.
inline uint64_t CountOf(Event event) {
  uint64_t sum = 0;
  for (const internal::CounterStripe& stripe : internal::counter_stripes) {
    sum += stripe.counts[static_cast<size_t>(event)].load(
        std::memory_order_relaxed);
  }
  return sum;
}

}  // namespace hakmem

#endif  // HAKMEM_TRACING_COUNTERS_COUNTERS_H_
