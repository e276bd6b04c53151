// Which instructions an allocator's functions run, one after the other, when a
// thread's bin serves the call: a program with the allocator preloaded
// (caller.cc) is single-stepped by ptrace. Exact, and the same every time, as
// no sampling or hardware counter is.
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
  // The address of each instruction that ran, from the function's first to the
  // ret that ends it, counted from where the library was loaded: those of the
  // library are as in its file, those outside are beyond its end, or huge.
  std::vector<uint64_t> steps;
};

// Runs the program `caller` with `library` preloaded and returns all the calls
// that it announces, in order. The program starts without this process's
// environment: nothing there may set options. The error is kUnavailable where
// this machine has no ptrace for us or its CPU is not x86-64.
absl::StatusOr<std::vector<TracedCall>> TraceCalls(const std::string& caller,
                                                   const std::string& library);

}  // namespace hakmem::bench

#endif  // HAKMEM_TESTS_FAST_PATH_TRACE_H_
