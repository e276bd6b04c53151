#include "tools/soak/run_workers.h"

#include <signal.h>

#include <chrono>
#include <memory>

namespace hakmem::soak {
namespace {

using tools::Subprocess;

// How long a worker has to free its blocks and report, once interrupted.
constexpr auto kGrace = std::chrono::seconds(60);

}  // namespace

std::vector<tools::ProcessResult> RunWorkers(
    const std::vector<tools::Command>& commands, tools::Interrupt& interrupt) {
  std::vector<std::unique_ptr<Subprocess>> workers;
  std::vector<Subprocess*> running;
  for (const tools::Command& command : commands) {
    workers.push_back(std::make_unique<Subprocess>(command));
    running.push_back(workers.back().get());
  }
  bool interrupted = false;
  while (!running.empty()) {
    // After the first signal there is nothing new to hear.
    Subprocess::WaitForAny(running, interrupted ? -1 : interrupt.descriptor());
    if (!interrupted && interrupt.Requested()) {
      interrupted = true;
      for (Subprocess* const worker : running) {
        worker->Signal(SIGTERM);
        worker->KillAt(std::chrono::steady_clock::now() + kGrace);
      }
    }
    std::erase_if(running,
                  [](Subprocess* worker) { return !worker->Running(); });
  }
  std::vector<tools::ProcessResult> results;
  for (const auto& worker : workers) results.push_back(worker->result());
  return results;
}

}  // namespace hakmem::soak
