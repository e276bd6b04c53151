// Starts a program, collects what it prints, and gives up on it when the user
// presses Ctrl-C or it takes too long.
#ifndef HAKMEM_BENCHMARKS_HARNESS_PROCESS_H_
#define HAKMEM_BENCHMARKS_HARNESS_PROCESS_H_

#include <signal.h>

#include <chrono>
#include <string>
#include <vector>

namespace hakmem::bench {

// Turns SIGINT and SIGTERM into something to ask for. While one of these
// exists (at most one, made before any thread) the signals end nothing.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // True from the first signal on.
  bool Requested();

  // Readable when a signal has come.
  int descriptor() const { return descriptor_; }
  // The signals that were blocked before: what a child should start with.
  const sigset_t& former_mask() const { return former_mask_; }

 private:
  sigset_t former_mask_;
  int descriptor_;
  bool requested_ = false;
};

struct ProcessResult {
  enum Ending { kExited, kKilled, kInterrupted, kTimedOut, kNotStarted };
  Ending ending = kNotStarted;
  int code = 0;  // exit status, signal, or (not started) errno
  std::string output;
  std::string errors;

  bool ok() const { return ending == kExited && code == 0; }
  // Why it is not ok, on one line, with the first line of `errors`.
  std::string Describe() const;
};

// Runs `arguments` (the first is the program's path) in this environment with
// LD_PRELOAD set to `preload`, or unset when that is empty, and with
// `variables` ("NAME=value") set. The child dies with this process; what it
// has started itself is killed with it when it takes too long or the user
// interrupts.
ProcessResult RunProcess(const std::vector<std::string>& arguments,
                         const std::string& preload,
                         std::chrono::milliseconds limit, Interrupt& interrupt,
                         const std::vector<std::string>& variables = {});

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_PROCESS_H_
