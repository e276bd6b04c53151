// The random-mixed workload as a Google Benchmark program, linked statically
// with the variant of HAKMEM that the flags select:
//
//   ./bazelw run //benchmarks:random_mixed --//backend=superslab
//
// One line per working set (2^6 to 2^20 slots) for the floor, for one thread
// and for one thread per core; an iteration is one step. Beside the time stand
// HAKMEM's own counters.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <thread>

#include "benchmarks/worker/map_memory.h"
#include "benchmarks/workloads/random_mixed/floor_heap.h"
#include "benchmarks/workloads/random_mixed/malloc_heap.h"
#include "benchmarks/workloads/random_mixed/random_mixed.h"
#include "hakmem/hakmem.h"

namespace hakmem::bench {
namespace {

constexpr int64_t kBatch = 1024;  // steps between looks at the clock
constexpr int64_t kFewestSlots = 1 << 6;
constexpr int64_t kMostSlots = 1 << 20;

void ReportCounters(benchmark::State& state) {
  hakmem_stats_t stats = {};
  hakmem_stats(&stats, sizeof(stats));
  state.SetLabel(stats.backend);
  // The rest holds while no other thread frees its working set.
  if (state.threads() != 1) return;
  state.counters["chunks"] = static_cast<double>(stats.chunks);
  if (stats.slab_committed_bytes != 0) {
    state.counters["fragmentation"] =
        1 - static_cast<double>(stats.slab_live_bytes) /
                static_cast<double>(stats.slab_committed_bytes);
  }
}

// Runs the loop; the working set is live when it returns true.
template <class Heap>
bool Measure(benchmark::State& state, RandomMixed<Heap>& workload) {
  if (!workload.WarmUp()) {
    state.SkipWithError("out of memory");
    return false;
  }
  while (state.KeepRunningBatch(kBatch)) {
    if (!workload.Run(kBatch)) {
      state.SkipWithError("out of memory");
      return false;
    }
  }
  if (workload.FirstDamaged() != nullptr) {
    state.SkipWithError("a block no longer holds what was written to it");
    return false;
  }
  state.SetItemsProcessed(state.iterations());
  return true;
}

template <class Heap>
void RunOn(benchmark::State& state, Heap& heap, bool is_hakmem) {
  const auto slots = static_cast<size_t>(state.range(0));
  const size_t bytes = slots * sizeof(Slot);
  auto* const memory = static_cast<Slot*>(MapMemory(bytes));
  if (memory == nullptr) {
    state.SkipWithError("no memory for the slots");
    return;
  }
  RandomMixed<Heap> workload(heap, memory, slots,
                             static_cast<uint64_t>(state.thread_index()));
  if (Measure(state, workload) && is_hakmem && state.thread_index() == 0) {
    ReportCounters(state);
  }
  workload.FreeAll();
  UnmapMemory(memory, bytes);
}

void Floor(benchmark::State& state) {
  FloorHeap<> heap(static_cast<size_t>(state.range(0)));
  if (heap.ok()) {
    RunOn(state, heap, /*is_hakmem=*/false);
  } else {
    state.SkipWithError("no address space");
  }
}

void Malloc(benchmark::State& state) {
  MallocHeap heap;
  RunOn(state, heap, /*is_hakmem=*/true);
}

void Register() {
  const auto cores =
      static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const auto with_sets = [](benchmark::internal::Benchmark* benchmark) {
    return benchmark->RangeMultiplier(2)->Range(kFewestSlots, kMostSlots);
  };
  with_sets(benchmark::RegisterBenchmark("floor", Floor));
  with_sets(benchmark::RegisterBenchmark("random_mixed", Malloc));
  if (cores > 1) {
    with_sets(benchmark::RegisterBenchmark("random_mixed", Malloc))
        ->Threads(cores)
        ->UseRealTime();
  }
}

}  // namespace
}  // namespace hakmem::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  hakmem::bench::Register();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
