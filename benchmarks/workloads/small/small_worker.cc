// Runs one workload of small blocks (small.def) on whatever allocator the
// process has and prints one line of JSON. Mostly started with an allocator
// preloaded; by hand:
//
//   LD_PRELOAD=libfoo.so small_worker --workload=map --seed=1 --effort=100
//
// --effort is in percent of the usual amount of work. Exit status: 0, 1 (the
// allocator failed), 2 (bad flags).
#include <exception>

#include "benchmarks/worker/new_failure.h"
#include "benchmarks/worker/workload.h"
#include "benchmarks/workloads/small/small.h"

namespace hakmem::bench {
namespace {

// What a container throws whose memory was overwritten.
template <void (*run_workload)(Run&)>
void Catching(Run& run) {
  try {
    run_workload(run);
  } catch (const std::exception& exception) {
    Die(kAllocatorFailed, "the workload threw %s", exception.what());
  }
}

}  // namespace
}  // namespace hakmem::bench

int main(int argc, char** argv) {
  using namespace hakmem::bench;  // NOLINT(google-build-using-namespace)
  DieWhenNewFails();
  static constexpr Workload kWorkloads[] = {
#define WORKLOAD(name, function, threads, ...) \
  {name, threads, Catching<function>},
#include "benchmarks/workloads/small/small.def"
#undef WORKLOAD
  };
  return WorkerMain(kWorkloads, argc, argv);
}
