// Finds the built variants of the library, which are data files of the tools.
#ifndef HAKMEM_TOOLS_LIBRARIES_LIBRARY_FILES_H_
#define HAKMEM_TOOLS_LIBRARIES_LIBRARY_FILES_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace hakmem::tools {

// The name of the file with this back-end ("segment", "superslab"), ACE
// ("adaptive", "fixed", "off") and hardening ("off", "checks", "full").
std::string LibraryName(std::string_view backend, std::string_view ace,
                        std::string_view hardening = "off");

// The absolute path of the library called `name`, links resolved. It is found
// in this program's runfiles: beside the program, or where `bazel run` and
// `bazel test` start it. A program that is installed (//packaging:install) finds
// it in the lib folder of its own prefix, under the name that it is installed
// by. NotFound, in one line, when it is not among the data of the target that
// was built.
absl::StatusOr<std::string> FindLibrary(const std::string& name);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_LIBRARIES_LIBRARY_FILES_H_
