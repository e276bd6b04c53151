// Runs one workload of the ACE suite (workloads/ace.h) on whatever allocator
// the process has and prints one line of JSON. `ace` starts it, mostly with an
// allocator preloaded; by hand:
//
//   LD_PRELOAD=libfoo.so ace_worker --workload=steady-64 --seed=1 --effort=100
//
// --effort is in percent of the usual amount of work. Exit status: 0, 1 (the
// allocator failed), 2 (bad flags).
#include "benchmarks/worker/workload.h"
#include "benchmarks/workloads/large/ace.h"

int main(int argc, char** argv) {
  using namespace hakmem::bench;  // NOLINT(google-build-using-namespace)
  static constexpr Workload kWorkloads[] = {
      {"steady-64", 1, Steady64},     {"steady-4096", 1, Steady4096},
      {"phase-shift", 1, PhaseShift}, {"bursts", 1, Bursts},
      {"messages", 2, Messages},      {"realloc", 1, ReallocGrowth},
  };
  return WorkerMain(kWorkloads, argc, argv);
}
