// Runs a command on the library in place of this program.
#ifndef HAKMEM_TOOLS_HAKMEM_RUN_IN_PLACE_H_
#define HAKMEM_TOOLS_HAKMEM_RUN_IN_PLACE_H_

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <string_view>

#include "tools/subprocess/held_signals.h"
#include "tools/subprocess/subprocess.h"

namespace hakmem::tools {

// Prints `message` on stderr, behind the program's name; returns `status`.
int Fail(std::string_view message, int status);

// Goes where the user typed the command: `bazel run` starts this elsewhere.
// Returns 0, or what to exit with when that, or preloading the file `library`,
// is impossible; then it has said why.
int EnterForRun(const std::string& library);

// The variable that preloads the library in front of what else is.
std::string Preload(const std::string& library);

// Held until the end, so that none of them ends this program before it has
// cleaned up. SIGPIPE too: what cannot be written is lost.
class PassedSignals : public HeldSignals {
 public:
  PassedSignals()
      : HeldSignals{SIGINT,  SIGQUIT, SIGTERM, SIGHUP,
                    SIGUSR1, SIGUSR2, SIGPIPE} {}
};

// Runs the command as if it had been started in place of this program: it has
// the same streams and process group, and gets the signals that processes send
// here. Those of the terminal (Ctrl-C) reach it anyway. `*pid` becomes its
// number.
ProcessResult RunInPlace(Command command, PassedSignals& signals,
                         pid_t* pid = nullptr);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_HAKMEM_RUN_IN_PLACE_H_
