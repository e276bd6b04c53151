// Runs one workload of large blocks (large.h) on whatever allocator the process
// has and prints one line of JSON. `compare` starts it, mostly with an
// allocator preloaded; by hand:
//
//   LD_PRELOAD=libfoo.so large_worker --workload=realloc-ladder --seed=1
//
// --effort=N is in percent of the usual amount of work. Exit status: 0, 1 (the
// allocator failed), 2 (bad flags).
#include "benchmarks/worker/workload.h"
#include "benchmarks/workloads/large/large.h"

int main(int argc, char** argv) {
  using namespace hakmem::bench;  // NOLINT(google-build-using-namespace)
  static constexpr Workload kWorkloads[] = {
      {"large-blocks", 1, LargeBlocks},
      {"realloc-ladder", 1, ReallocLadder},
  };
  return WorkerMain(kWorkloads, argc, argv);
}
