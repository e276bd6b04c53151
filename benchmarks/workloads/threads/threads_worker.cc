// Runs one of the workloads on several threads (threads.h) on whatever
// allocator the process has and prints one line of JSON. `compare` starts it,
// mostly with an allocator preloaded; by hand:
//
//   LD_PRELOAD=libfoo.so threads_worker --workload=server --seed=1 --effort=100
//
// --effort is in percent of the usual amount of work. Exit status: 0, 1 (the
// allocator failed), 2 (bad flags).
#include "benchmarks/worker/workload.h"
#include "benchmarks/workloads/threads/threads.h"

int main(int argc, char** argv) {
  using namespace hakmem::bench;  // NOLINT(google-build-using-namespace)
  static constexpr Workload kWorkloads[] = {
      {"pipe-1-1", 2, Pipe1To1},
      {"pipe-4-4", 8, Pipe4To4},
      {"server", 4, Server},
      {"churn", 4, Churn},
      {"false-sharing-active", 4, FalseSharingActive},
      {"false-sharing-passive", 4, FalseSharingPassive},
      {"asymmetric", 2, Asymmetric},
  };
  return WorkerMain(kWorkloads, argc, argv);
}
