// Runs one workload of small blocks (small.h) on whatever allocator the process
// has and prints one line of JSON. Mostly started with an allocator preloaded;
// by hand:
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
      {"lognormal-256", 1, Lognormal256},
      {"lognormal-8192", 1, Lognormal8192},
      {"lognormal-65536", 1, Lognormal65536},
      {"lognormal-1048576", 1, Lognormal1048576},
      {"batch-in-order", 1, BatchInOrder},
      {"batch-reversed", 1, BatchReversed},
      {"batch-shuffled", 1, BatchShuffled},
      {"map", 1, Catching<OrderedMap>},
      {"unordered-map", 1, Catching<UnorderedMap>},
      {"string-append", 1, Catching<StringAppend>},
      {"expression-trees", 1, Catching<ExpressionTrees>},
  };
  return WorkerMain(kWorkloads, argc, argv);
}
