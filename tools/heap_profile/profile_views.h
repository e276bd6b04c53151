// A heap profile for people and for programs.
#ifndef HAKMEM_TOOLS_HEAP_PROFILE_PROFILE_VIEWS_H_
#define HAKMEM_TOOLS_HEAP_PROFILE_PROFILE_VIEWS_H_

#include <cstddef>
#include <string>

#include "tools/heap_profile/heap_profile.h"

namespace hakmem::tools {

// The totals, and a table of the `top` sites that held most at the peak. Those
// of a difference are ordered by how much what is live has changed.
std::string ProfileTable(const HeapProfile& profile, size_t top);

// One JSON object: "rate"; "total" and, of each site, the objects "live",
// "peak" and "allocated", each {"count", "bytes"}, and "stack", innermost
// first:
// {"function", "file", "line", "module", "offset"}.
std::string ProfileJson(const HeapProfile& profile);

// What `after` has more than `before`, per stack of functions; sites that are
// the same are left out. Lines do not count, so that programs can be compared
// that were built anew.
HeapProfile ProfileDifference(const HeapProfile& before,
                              const HeapProfile& after);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_HEAP_PROFILE_PROFILE_VIEWS_H_
