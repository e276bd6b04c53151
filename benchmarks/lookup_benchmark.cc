// What it costs to find the slab of an address: address to class to chunk to
// slab, over as many slabs as the argument says.
//
//     ./bazelw run //benchmarks:lookup --//backend=superslab
//
// Each lookup waits for the one before, so it is latency that is measured. The
// walk alone, with nothing looked up, is to be subtracted.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "backend/memory/pagemap.h"
#include "benchmark/benchmark.h"
#include "linked_backend.h"

namespace hakmem::bench {
namespace {

constexpr size_t kSlabBytes = 64 << 10;
constexpr size_t kBlockBytes = 1024;

// Addresses of blocks, one in each of `slabs` slabs.
class HeldSlabs {
 public:
  explicit HeldSlabs(size_t slabs) {
    uintptr_t last = 0;
    while (addresses_.size() < slabs) {
      blocks_.push_back(malloc(kBlockBytes));
      const auto address = reinterpret_cast<uintptr_t>(blocks_.back());
      if (address / kSlabBytes == last / kSlabBytes) continue;
      addresses_.push_back(address);
      last = address;
    }
  }
  ~HeldSlabs() {
    for (void* block : blocks_) free(block);
  }
  HeldSlabs(const HeldSlabs&) = delete;
  HeldSlabs& operator=(const HeldSlabs&) = delete;

  // The address of some slab; `after`, which is 0, is what the caller waits
  // for.
  uintptr_t Any(uintptr_t after) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    // Multiply-shift instead of a remainder, which would cost more than what is
    // measured.
    return addresses_[static_cast<size_t>(
                          ((state_ >> 32) * addresses_.size()) >> 32) +
                      after];
  }

 private:
  std::vector<void*> blocks_;
  std::vector<uintptr_t> addresses_;
  uint64_t state_ = 0x9E3779B97F4A7C15;
};

// `look` returns 0, in a way that the compiler cannot know.
template <typename Look>
void Walk(benchmark::State& state, Look&& look) {
  HeldSlabs slabs(static_cast<size_t>(state.range(0)));
  uintptr_t found = 0;
  for (auto _ : state) {
    found = look(slabs.Any(found));
    benchmark::DoNotOptimize(found);
  }
}

void Lookup(benchmark::State& state) {
  Walk(state, [](uintptr_t address) -> uintptr_t {
    if (Pagemap::ClassAt(address) == SizeClass::kNone) abort();
    if (Pagemap::ChunkAt(address) == nullptr) abort();
    return LinkedBackend::SlabAt(address)->base & 1;
  });
}
BENCHMARK(Lookup)->RangeMultiplier(8)->Range(1, 4096);

void WalkAlone(benchmark::State& state) {
  Walk(state, [](uintptr_t address) { return address & 1; });
}
BENCHMARK(WalkAlone)->RangeMultiplier(8)->Range(1, 4096);

}  // namespace
}  // namespace hakmem::bench

BENCHMARK_MAIN();
