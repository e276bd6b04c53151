#include "tools/libraries/library_files.h"

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

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

// What the library called `name` is called where it is installed: segment is
// the library without a name of its own.
std::string InstalledName(std::string_view name) {
  return absl::StrCat(absl::StrReplaceAll(name, {{"-segment", ""}}), ".1");
}

// The folder of the libraries that are installed with this program; empty when
// it is not installed.
fs::path InstalledLibraries(const fs::path& self) {
  std::error_code error;
  const fs::path prefix = self.parent_path().parent_path();
  std::vector<fs::path> folders = {prefix / "lib", prefix / "lib64"};
  // Debian's are lib/<architecture>.
  for (const auto& entry : fs::directory_iterator(prefix / "lib", error)) {
    if (absl::EndsWith(entry.path().native(), "-linux-gnu")) {
      folders.push_back(entry.path());
    }
  }
  for (const fs::path& folder : folders) {
    if (fs::exists(folder / "libhakmem.so.1", error)) return folder;
  }
  return {};
}

}  // namespace

std::string LibraryName(std::string_view backend, std::string_view ace,
                        std::string_view hardening) {
  const std::string pool = ace == "adaptive" ? "" : absl::StrCat("-ace_", ace);
  const std::string level =
      hardening == "off" ? "" : absl::StrCat("-", hardening);
  return absl::StrCat("libhakmem-", backend, pool, level, ".so");
}

absl::StatusOr<std::string> FindLibrary(const std::string& name) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (const fs::path folder = InstalledLibraries(self); !folder.empty()) {
    const fs::path path = folder / InstalledName(name);
    if (fs::exists(path, error)) return path.string();
    return absl::FailedPreconditionError(
        absl::StrCat(path.string(), " is not installed"));
  }
  fs::path found;
  const char* const given = std::getenv("RUNFILES_DIR");
  if (given != nullptr) found = FindBelow(given, name);
  if (found.empty() && fs::exists(name, error)) found = name;
  if (found.empty()) {
    // Last: while other targets are built, this folder may be there in part.
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
