#include "frontend/api/lookup_cost.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "backend/memory/pagemap.h"
#include "backend/slabs/slab.h"
#include "base/os/clock.h"
#include "base/sync/lock.h"
#include "linked_backend.h"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace hakmem {
namespace {

constexpr size_t kMaxAddresses = 4096;
constexpr size_t kLookups = 8192;
constexpr int kRounds = 9;

struct Sample {
  uintptr_t addresses[kMaxAddresses];
  size_t count;
};

// Static: a caller may have the smallest of stacks.
constinit Mutex mutex;
constinit Sample sample ABSL_GUARDED_BY(mutex) = {};

uint64_t Now() {
#if defined(__x86_64__)
  unsigned core;
  return __rdtscp(&core);
#else
  return Nanoseconds();
#endif
}

void AddSlab(const Slab& slab, void* argument) {
  auto* s = static_cast<Sample*>(argument);
  if (s->count < kMaxAddresses) s->addresses[s->count++] = slab.base;
}

// Walks the addresses in a random order, each step waiting for what the last
// one found (`look` returns 0 in a way the compiler cannot know).
template <typename Look>
uint64_t Walk(const Sample& s, Look&& look) {
  uint64_t state = 0x9E3779B97F4A7C15;
  uintptr_t found = 0;
  const uint64_t start = Now();
  for (size_t i = 0; i < kLookups; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    // Multiply-shift instead of a remainder, which would cost more than what is
    // measured.
    const size_t pick =
        static_cast<size_t>(((state >> 32) * s.count) >> 32) + found;
    found = look(s.addresses[pick]);
    asm volatile("" : "+r"(found));
  }
  return Now() - start;
}

double MeasureOver(const Sample& s) {
  // A slab may be given back meanwhile by another thread; its books stay
  // readable (MetadataAllocator), and an address without a chunk ends the
  // lookup.
  const auto lookup = [](uintptr_t address) -> uintptr_t {
    if (Pagemap::ClassAt(address) == SizeClass::kNone) return 0;
    if (Pagemap::ChunkAt(address) == nullptr) return 0;
    return LinkedBackend::SlabAt(address)->base & 1;
  };
  const auto nothing = [](uintptr_t address) { return address & 1; };
  uint64_t with = UINT64_MAX;
  uint64_t without = UINT64_MAX;
  // The least of several rounds: interruptions only ever add.
  for (int round = 0; round < kRounds; ++round) {
    without = std::min(without, Walk(s, nothing));
    with = std::min(with, Walk(s, lookup));
  }
  return with <= without
             ? 0
             : static_cast<double>(with - without) / double{kLookups};
}

}  // namespace

double MeasureLookup() {
  // Not waited for, so that fork need not hold it: who holds every lock does
  // not hold this one.
  if (HoldsEveryLock() || !mutex.TryLock()) return 0;
  sample.count = 0;
  LinkedBackend::VisitSlabs(&AddSlab, &sample);
  const double cost = sample.count == 0 ? 0 : MeasureOver(sample);
  mutex.Unlock();
  return cost;
}

}  // namespace hakmem
