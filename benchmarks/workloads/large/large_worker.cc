// Runs one workload of mid-sized and large blocks (large.def) on whatever
// allocator the process has and prints one line of JSON. `compare` starts it,
// mostly with an allocator preloaded; by hand:
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
#define WORKLOAD(name, function, threads, ...) {name, threads, function},
#include "benchmarks/workloads/large/large.def"
#undef WORKLOAD
  };
  return WorkerMain(kWorkloads, argc, argv);
}
