#include "tools/libraries/library_files.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hakmem::tools {
namespace {

namespace fs = std::filesystem;

// `name` in one of the repositories below the runfiles folder `root`.
fs::path FindBelow(const fs::path& root, const std::string& name) {
  std::error_code error;
  for (const auto& repository : fs::directory_iterator(root, error)) {
    fs::path file = repository.path() / name;
    if (fs::exists(file, error)) return file;
  }
  return {};
}

}  // namespace

std::string LibraryName(std::string_view backend, std::string_view ace) {
  return absl::StrCat("libhakmem-", backend, ace == "adaptive" ? "" : "-ace_",
                      ace == "adaptive" ? "" : ace, ".so");
}

absl::StatusOr<std::string> FindLibrary(const std::string& name) {
  std::error_code error;
  fs::path found;
  const char* const given = std::getenv("RUNFILES_DIR");
  if (given != nullptr) found = FindBelow(given, name);
  if (found.empty() && fs::exists(name, error)) found = name;
  if (found.empty()) {
    // Last: while other targets are built, this folder may be there in part.
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    found = FindBelow(self.string() + ".runfiles", name);
  }
  const fs::path path = fs::canonical(found, error);
  if (error) {
    return absl::NotFoundError(
        absl::StrCat("cannot find ", name,
                     ": run this program by bazel, or where bazel built it"));
  }
  return path.string();
}

}  // namespace hakmem::tools
