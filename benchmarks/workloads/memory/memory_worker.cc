// Runs one workload about memory (memory.def) on whatever allocator the process
// has and prints one line of JSON. `compare` starts it, mostly with an
// allocator preloaded; by hand:
//
//   LD_PRELOAD=libfoo.so memory_worker --workload=drift --seed=1 --effort=100
//
// --effort is in percent of the usual amount of work; a heap that grows, grows
// to that part of the usual size. Exit status: 0, 1 (the allocator failed), 2
// (bad flags), 3 (the machine has not enough memory).
#include "benchmarks/worker/workload.h"
#include "benchmarks/workloads/memory/memory.h"

int main(int argc, char** argv) {
  using namespace hakmem::bench;  // NOLINT(google-build-using-namespace)
  static constexpr Workload kWorkloads[] = {
#define WORKLOAD(name, function, threads, ...) {name, threads, function},
#include "benchmarks/workloads/memory/memory.def"
#undef WORKLOAD
  };
  return WorkerMain(kWorkloads, argc, argv);
}
