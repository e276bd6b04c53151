#include "benchmarks/harness/process.h"

namespace hakmem::bench {

std::string ProcessResult::Describe() const {
  const std::string what =
      interrupted ? "interrupted" : tools::ProcessResult::Describe();
  const std::string first_line = errors.substr(0, errors.find('\n'));
  return first_line.empty() ? what : what + ": " + first_line;
}

ProcessResult RunProcess(const std::vector<std::string>& arguments,
                         const std::string& preload,
                         std::chrono::milliseconds limit, Interrupt& interrupt,
                         const std::vector<std::string>& variables) {
  ProcessResult result;
  result.interrupted = interrupt.Requested();
  if (result.interrupted) return result;
  tools::Command command{.arguments = arguments, .variables = variables};
  command.variables.push_back(preload.empty() ? "LD_PRELOAD"
                                              : "LD_PRELOAD=" + preload);
  command.time_limit = limit;
  command.signals = &interrupt.former();
  tools::Subprocess process(command);
  tools::Subprocess* const processes[] = {&process};
  while (process.Running()) {
    tools::Subprocess::WaitForAny(processes, interrupt.descriptor());
    if (!interrupt.Requested()) continue;
    result.interrupted = true;
    process.Kill();
  }
  static_cast<tools::ProcessResult&>(result) = process.result();
  return result;
}

}  // namespace hakmem::bench
