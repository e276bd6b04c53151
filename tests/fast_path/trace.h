// Records the instructions that an allocator's functions run: a program with
// the allocator preloaded (caller.cc) is single-stepped by ptrace. Unlike
// sampling or a hardware counter, this is exact and repeatable.
#ifndef HAKMEM_TESTS_FAST_PATH_TRACE_H_
#define HAKMEM_TESTS_FAST_PATH_TRACE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace hakmem::bench {

struct TracedCall {
  size_t function;  // index into kMeasuredFunctions
  // The address of each executed instruction, from the function's first to its
  // final ret, relative to the library's load address: those of the library are
  // as in its file, others are beyond its end or huge.
  std::vector<uint64_t> steps;
};

// Runs the program `caller` with `library` preloaded and returns all the calls
// that it announces, in order. The program starts without this process's
// environment, so that nothing there sets options; the decay time is an hour.
// The error is kUnavailable where ptrace is not available to this process or
// the CPU is not x86-64.
absl::StatusOr<std::vector<TracedCall>> TraceCalls(const std::string& caller,
                                                   const std::string& library);

}  // namespace hakmem::bench

#endif  // HAKMEM_TESTS_FAST_PATH_TRACE_H_
