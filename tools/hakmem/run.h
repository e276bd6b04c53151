// `hakmem run`: runs a command on the library, and says afterwards what
// happened.
//
// The library is preloaded into the command and all that it starts. They write
// their figures and failures into a private folder, of which the summary on
// stderr is made.
#ifndef HAKMEM_TOOLS_HAKMEM_RUN_H_
#define HAKMEM_TOOLS_HAKMEM_RUN_H_

#include "tools/hakmem/run_flags.h"

namespace hakmem::tools {

// Returns what to exit with: the command's exit status; 126 and 127, as shells
// have it, for one that cannot be run; 2 when something is missing here.
int Run(const RunFlags& flags);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_HAKMEM_RUN_H_
