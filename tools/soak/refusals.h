// When a request for memory may fail: while a limit is lowered, or always when
// the allocator itself has a limit.
#ifndef HAKMEM_TOOLS_SOAK_REFUSALS_H_
#define HAKMEM_TOOLS_SOAK_REFUSALS_H_

#include <cstdint>

#include "tools/soak/random.h"

namespace hakmem::soak {

// From now on any request may fail (HAKMEM_ACE_LIMIT_MB is set).
void AlwaysAllowRefusals();

// The epoch changes whenever a limit is lowered or restored. Read it before a
// request; when the request has failed, MayBeRefused says whether it may.
uint64_t LimitEpoch();
bool MayBeRefused(uint64_t epoch);

// Remembers the limits; before any is lowered.
void RememberLimits();

// In a forked child: sets the limits as they were remembered. The kernel copies
// limits and memory at different times, so that the child cannot know whether
// it has low ones.
void RestoreLimits();

// Lowers RLIMIT_AS or RLIMIT_DATA to about what is in use, for a while (at most
// some tenths of a second), and sets it back. One thread, while the others
// work.
void LowerALimit(Random& random);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_REFUSALS_H_
