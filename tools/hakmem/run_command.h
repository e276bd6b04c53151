// Runs a command as if it had been started in place of this program: it has the
// same standard streams and process group, and what is sent here reaches it.
#ifndef HAKMEM_TOOLS_HAKMEM_RUN_COMMAND_H_
#define HAKMEM_TOOLS_HAKMEM_RUN_COMMAND_H_

#include <signal.h>

#include <string>
#include <vector>

namespace hakmem::tools {

// How a command ended.
struct Ending {
  int start_error = 0;  // errno, when it could not be started
  int exit_code = 0;    // when no signal ended it
  int signal = 0;       // that ended it
  double seconds = 0;   // of real time

  // As shells say it: 128 and the signal; 127 for a command that is not there,
  // 126 for one that cannot be run.
  int ShellStatus() const;
};

// While one exists, SIGCHLD and the signals that are passed on to the command
// are blocked, so that they can be waited for and none ends this program before
// it has cleaned up. SIGPIPE is ignored: what cannot be written is lost.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals() { Restore(); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  // As it was before; also what a child should start with.
  void Restore();

  siginfo_t Wait();

 private:
  sigset_t set_;
  sigset_t former_mask_;
  struct sigaction former_child_action_;
  struct sigaction former_pipe_action_;
};

// Runs `command` (the first is looked up in PATH) with exactly the variables
// `environment` ("NAME=value"), and waits for it. Meanwhile signals that a
// process sends here are passed on to it; those of the terminal (Ctrl-C) reach
// it anyway. Call it while there is one thread.
Ending RunCommand(const std::vector<std::string>& command,
                  const std::vector<std::string>& environment,
                  HeldSignals& signals);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_HAKMEM_RUN_COMMAND_H_
