// Runs worker processes, several at once, and waits until all have ended.
#ifndef HAKMEM_TOOLS_SOAK_RUN_WORKERS_H_
#define HAKMEM_TOOLS_SOAK_RUN_WORKERS_H_

#include <vector>

#include "tools/subprocess/subprocess.h"

namespace hakmem::soak {

// After an interrupt workers are asked to end, and killed if they do not soon.
// What a worker has started itself is killed with it.
std::vector<tools::ProcessResult> RunWorkers(
    const std::vector<tools::Command>& commands, tools::Interrupt& interrupt);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_RUN_WORKERS_H_
