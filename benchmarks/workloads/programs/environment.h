// The environment that programs get: the worker's, less what would make them
// behave differently on another machine.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_ENVIRONMENT_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_ENVIRONMENT_H_

#include <string>
#include <vector>

namespace hakmem::bench {

enum class Preload {
  // What the worker has, libc when that is nothing: some programs are linked
  // with an allocator, as Debian's redis-server is with jemalloc, and would
  // run on that instead of libc's.
  kAllocator,
  // What the worker has, even if that is nothing.
  kInherited,
  // For programs that are not measured.
  kNothing,
};

// Variables that select an interpreter's or a tool's settings are left out;
// home and temporary files are in the working directory.
std::vector<std::string> ProgramEnvironment(
    Preload preload, const std::vector<std::string>& more);

// Lets the file names in LD_PRELOAD hold in any working directory.
void MakePreloadAbsolute();

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_ENVIRONMENT_H_
