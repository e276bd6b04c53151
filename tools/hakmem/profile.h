// `hakmem profile`: runs a command with the library's heap profile on, and
// shows what its processes wrote; or compares two profiles.
#ifndef HAKMEM_TOOLS_HAKMEM_PROFILE_H_
#define HAKMEM_TOOLS_HAKMEM_PROFILE_H_

#include "tools/hakmem/profile_flags.h"

namespace hakmem::tools {

// Returns what to exit with: the command's exit status; 126 and 127, as shells
// have it, for one that cannot be run; 2 for bad input, or when something is
// missing here; 1 when a command that succeeded left no profile, or it cannot
// be written.
int Profile(const ProfileFlags& flags);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_HAKMEM_PROFILE_H_
