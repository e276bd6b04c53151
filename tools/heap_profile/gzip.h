// gzip files (RFC 1952) whose contents are stored, not compressed: what tools
// that want gzip accept, without a library for it.
#ifndef HAKMEM_TOOLS_HEAP_PROFILE_GZIP_H_
#define HAKMEM_TOOLS_HEAP_PROFILE_GZIP_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace hakmem::tools {

std::string GzipStored(std::string_view contents);

// The inverse; the error, in one line, says that the file is none of those.
absl::StatusOr<std::string> GunzipStored(std::string_view file);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_HEAP_PROFILE_GZIP_H_
