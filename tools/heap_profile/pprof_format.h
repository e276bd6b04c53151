// The format of pprof (github.com/google/pprof, proto/profile.proto), gzipped:
// what pprof and speedscope open.
#ifndef HAKMEM_TOOLS_HEAP_PROFILE_PPROF_FORMAT_H_
#define HAKMEM_TOOLS_HEAP_PROFILE_PPROF_FORMAT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tools/heap_profile/heap_profile.h"

namespace hakmem::tools {

// The values of each sample are, in the order and under the names of Go's
// profiles: alloc_objects, alloc_space, inuse_objects, inuse_space (the one
// that is shown first); then peak_objects and peak_space. The comment names
// HAKMEM. `time_ns`: when it was made, since 1970.
std::string ToPprof(const HeapProfile& profile, int64_t time_ns);

// The inverse, for files that ToPprof made: others may be compressed, or have
// other values. The error is one line.
absl::StatusOr<HeapProfile> FromPprof(std::string_view file);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_HEAP_PROFILE_PPROF_FORMAT_H_
