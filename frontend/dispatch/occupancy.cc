#include "frontend/dispatch/occupancy.h"

#include <atomic>
#include <cstddef>

#include "ace/ace.h"
#include "base/os/clock.h"
#include "linked_backend.h"

namespace hakmem {
namespace {

constexpr uint64_t kKeptMilliseconds = 100;

// Indexes: the classes, then spans, then large blocks.
constexpr size_t kSpans = kClassCount;
constexpr size_t kLarge = kClassCount + 1;
constexpr size_t kPools = kClassCount + 2;

// relaxed, all: figures for reports, where any mixture will do.
struct Kept {
  std::atomic<uint64_t> live{0};
  std::atomic<uint64_t> cached{0};
};

constinit Kept kept[kPools];
constinit std::atomic<uint64_t> kept_until{0};

void AddSlab(const Slab& slab, uint64_t, void* sums) {
  Occupancy& sum = static_cast<Occupancy*>(sums)[Index(slab.size_class)];
  sum.cached += uint64_t{slab.block_bytes} * slab.free_count;
  sum.live += uint64_t{slab.block_bytes} *
              (uint64_t{slab.block_count} - slab.free_count);
}

// Not inline: only a caller that looks should need this much stack.
[[gnu::noinline]] void Look() {
  Occupancy sums[kPools] = {};
  LinkedBackend::VisitSlabs(&AddSlab, sums);
  Ace::VisitSlabs(&AddSlab, sums);
  const Ace::Totals totals = Ace::Sum();
  sums[kSpans] = {totals.span_bytes - totals.shared_cached,
                  totals.shared_cached};
  sums[kLarge] = {totals.large_bytes, totals.large_cached};
  for (size_t i = 0; i < kPools; ++i) {
    kept[i].live.store(sums[i].live, std::memory_order_relaxed);
    kept[i].cached.store(sums[i].cached, std::memory_order_relaxed);
  }
}

}  // namespace

Occupancy OccupancyOf(hakmem_failure_layer_t layer, SizeClass c) {
  const uint64_t now = CoarseMilliseconds();
  uint64_t until = kept_until.load(std::memory_order_relaxed);
  // One of the threads that find the figures stale looks.
  if (now >= until &&
      kept_until.compare_exchange_strong(until, now + kKeptMilliseconds,
                                         std::memory_order_relaxed)) {
    Look();
  }
  const size_t pool = c != SizeClass::kNone         ? Index(c)
                      : layer == HAKMEM_LAYER_LARGE ? kLarge
                                                    : kSpans;
  return {kept[pool].live.load(std::memory_order_relaxed),
          kept[pool].cached.load(std::memory_order_relaxed)};
}

}  // namespace hakmem
