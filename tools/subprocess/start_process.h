// The first half of Subprocess: forks, and makes the child what the command
// says.
#ifndef HAKMEM_TOOLS_SUBPROCESS_START_PROCESS_H_
#define HAKMEM_TOOLS_SUBPROCESS_START_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <string>

#include "tools/subprocess/descriptor.h"
#include "tools/subprocess/subprocess.h"

namespace hakmem::tools {

struct StartedProcess {
  pid_t pid = 0;        // 0: not started
  int error = 0;        // errno, when not started
  std::string problem;  // one line, when not started
  // Ends to read from, not blocking, of streams that are captured.
  Descriptor output;
  Descriptor errors;
};

// `body`: see Subprocess; null: executes the program.
StartedProcess StartProcess(const Command& command,
                            const std::function<void()>* body);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_SUBPROCESS_START_PROCESS_H_
