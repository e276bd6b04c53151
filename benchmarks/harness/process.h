// Runs a program on an allocator: Subprocess (tools/subprocess), with what all
// runs of benchmarks have in common.
#ifndef HAKMEM_BENCHMARKS_HARNESS_PROCESS_H_
#define HAKMEM_BENCHMARKS_HARNESS_PROCESS_H_

#include <chrono>
#include <string>
#include <vector>

#include "tools/subprocess/held_signals.h"
#include "tools/subprocess/subprocess.h"

namespace hakmem::bench {

// Ctrl-C: ends the program that runs, and is asked about by this one.
using tools::Interrupt;

struct ProcessResult : tools::ProcessResult {
  bool interrupted = false;  // it was killed, or not started, because of that

  bool ok() const { return !interrupted && tools::ProcessResult::ok(); }
  // Why it is not ok, on one line, with the first line of `errors`.
  std::string Describe() const;
};

// Runs `arguments` (the first is the program's path) in this environment with
// LD_PRELOAD set to `preload`, or unset when that is empty, and with
// `variables` ("NAME=value" sets one, "NAME" removes it). The program dies with
// this process; what it has started itself is killed with it when it takes too
// long or the user interrupts.
ProcessResult RunProcess(const std::vector<std::string>& arguments,
                         const std::string& preload,
                         std::chrono::milliseconds limit, Interrupt& interrupt,
                         const std::vector<std::string>& variables = {});

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_PROCESS_H_
