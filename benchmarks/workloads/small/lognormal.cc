// Random-mixed with the sizes that programs have, or so we think: the median of
// 64 bytes and the spread (3 % above 1 KiB, which hold a third of the bytes)
// are our own assumption. What is published on programs' sizes agrees that
// small ones prevail by far and that a long tail has much of the memory, but
// every program has sizes of its own.
#include "benchmarks/worker/block_array.h"
#include "benchmarks/workloads/random_mixed/malloc_heap.h"
#include "benchmarks/workloads/random_mixed/random_mixed.h"
#include "benchmarks/workloads/small/log_normal.h"
#include "benchmarks/workloads/small/mapped_array.h"
#include "benchmarks/workloads/small/small.h"

namespace hakmem::bench {
namespace {

constexpr double kMedian = 64;
constexpr double kSigma = 1.5;
constexpr size_t kLargest = 32768;

// The table of a LogNormal, which outlives this.
struct TableSizes {
  size_t operator()(uint64_t bits) const { return (*table)(bits); }
  const LogNormal* table;
};

// The filling and the check at the end are not timed, as in random-mixed.
void RunLognormal(Run& run, size_t slots, uint64_t usual_steps) {
  static const LogNormal table(kMedian, kSigma, kLargest);
  const uint64_t steps = run.Scaled(usual_steps);
  MallocHeap heap;
  MappedArray<Slot> array(slots);
  RandomMixed<MallocHeap, TableSizes> workload(heap, array.begin(), slots,
                                               run.seed(), TableSizes{&table});
  bool served = workload.WarmUp();
  run.Start();
  served = served && workload.Run(steps);
  run.Stop();
  if (!served) Die(kAllocatorFailed, "out of memory");
  run.Count(steps);
  run.Finish();
  if (const Slot* damaged = workload.FirstDamaged()) {
    Block{damaged->block, damaged->size, 0}.DieDamaged();
  }
  workload.FreeAll();
}

}  // namespace

void Lognormal256(Run& run) { RunLognormal(run, 256, 35'000'000); }
void Lognormal8192(Run& run) { RunLognormal(run, 8192, 25'000'000); }
void Lognormal65536(Run& run) { RunLognormal(run, 65536, 20'000'000); }
void Lognormal1048576(Run& run) { RunLognormal(run, 1048576, 5'000'000); }

}  // namespace hakmem::bench
