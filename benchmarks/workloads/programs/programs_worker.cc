// Runs real programs on whatever allocator is preloaded (programs.def) and
// prints one line of JSON about one of them:
//
//   LD_PRELOAD=libfoo.so programs_worker --workload=sqlite --seed=1
//   --effort=100
//
// --effort is in percent of the usual amount of work. Exit status: 0, 1 (the
// program failed or its results are wrong), 2 (bad flags), 3 (the program is
// not installed, or there is no room for its files).
#include "benchmarks/worker/new_failure.h"
#include "benchmarks/worker/workload.h"
#include "benchmarks/workloads/programs/programs.h"

int main(int argc, char** argv) {
  using namespace hakmem::bench;  // NOLINT(google-build-using-namespace)
  DieWhenNewFails();
  static constexpr Workload kWorkloads[] = {
#define WORKLOAD(name, function, threads, ...) {name, threads, function},
#include "benchmarks/workloads/programs/programs.def"
#undef WORKLOAD
  };
  return WorkerMain(kWorkloads, argc, argv);
}
