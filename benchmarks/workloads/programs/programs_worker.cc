// Runs real programs on whatever allocator is preloaded (programs.h) and prints
// one line of JSON about one of them:
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
      {"start-true", 1, StartTrue},
      {"idle", 1, Idle},
      {"redis", 1, Redis},
      {"python-json", 1, PythonJson},
      {"python-dict", 1, PythonDict},
      {"python-threads", 8, PythonThreads},
      {"gxx", 1, Gxx},
      {"clang", 1, Clang},
      {"sqlite", 1, Sqlite},
      {"lua", 1, Lua},
      {"ghostscript", 1, Ghostscript},
      {"git-gc", 2, GitGc},
      {"zstd", 2, Zstd},
  };
  return WorkerMain(kWorkloads, argc, argv);
}
