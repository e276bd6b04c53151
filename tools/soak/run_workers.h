// Starts worker processes, several at once, and waits until all have ended.
#ifndef HAKMEM_TOOLS_SOAK_RUN_WORKERS_H_
#define HAKMEM_TOOLS_SOAK_RUN_WORKERS_H_

#include <chrono>
#include <string>
#include <vector>

namespace hakmem::soak {

struct WorkerCommand {
  std::vector<std::string> arguments;    // the first is the program's path
  std::vector<std::string> environment;  // "NAME=value"
  std::chrono::milliseconds limit;       // after which it is killed
};

struct WorkerEnding {
  int status = 0;  // as of waitpid
  bool timed_out = false;
  std::string output;
  std::string errors;
};

// Ctrl-C and SIGTERM, to be asked for. One exists, before any worker starts.
class Interrupt {
 public:
  Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // True from the first signal on.
  bool Requested();
  // Readable when one has come.
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
  bool requested_ = false;
};

// After an interrupt workers are asked to end, and killed if they do not soon.
// What a worker has started itself is killed with it.
std::vector<WorkerEnding> RunWorkers(const std::vector<WorkerCommand>& commands,
                                     Interrupt& interrupt);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_RUN_WORKERS_H_
