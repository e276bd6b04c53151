#include "tools/hakmem/profile.h"

#include <string.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tools/hakmem/private_folder.h"
#include "tools/hakmem/run_in_place.h"
#include "tools/heap_profile/heap_profile.h"
#include "tools/heap_profile/pprof_format.h"
#include "tools/heap_profile/profile_views.h"
#include "tools/heap_profile/raw_profile.h"
#include "tools/heap_profile/symbolize.h"
#include "tools/libraries/library_files.h"
#include "tools/subprocess/subprocess.h"

namespace hakmem::tools {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<std::string> ReadFile(const fs::path& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream contents;
  contents << file.rdbuf();
  if (!file.is_open() || file.bad() || contents.fail()) {
    // An empty file makes the stream fail as well.
    std::error_code error;
    if (file.is_open() && fs::is_regular_file(path, error)) return "";
    return absl::NotFoundError(absl::StrCat(
        path.string(), ": ", errno != 0 ? strerror(errno) : "cannot be read"));
  }
  return std::move(contents).str();
}

// 0, or 1 after saying what is wrong.
int WriteFile(const std::string& path, std::string_view contents) {
  if (path == "-") {
    std::cout << contents << std::flush;
    return std::cout ? 0 : Fail("standard output cannot be written", 1);
  }
  errno = 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << contents;
  file.close();
  if (file) return 0;
  return Fail(absl::StrCat(path, ": ",
                           errno != 0 ? strerror(errno) : "cannot be written"),
              1);
}

int64_t Now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Writes what the flags ask for; the table to `table`. 0, or 1.
int Show(const ProfileFlags& flags, const HeapProfile& profile,
         std::ostream& table) {
  int status = 0;
  if (!flags.out.empty()) {
    status = WriteFile(flags.out, ToPprof(profile, Now()));
  }
  if (!flags.json.empty()) {
    status = std::max(status, WriteFile(flags.json, ProfileJson(profile)));
  }
  if (flags.top != 0 && flags.json != "-") {
    table << ProfileTable(profile, flags.top) << std::flush;
  }
  return status;
}

int Compare(const ProfileFlags& flags) {
  std::vector<HeapProfile> profiles;
  for (const std::string& path : flags.command) {
    const auto contents = ReadFile(path);
    if (!contents.ok()) return Fail(contents.status().message(), 2);
    auto profile = FromPprof(*contents);
    if (!profile.ok()) {
      return Fail(absl::StrCat(path, ": ", profile.status().message()), 2);
    }
    profiles.push_back(*std::move(profile));
  }
  return Show(flags, ProfileDifference(profiles[0], profiles[1]), std::cout);
}

// Merges what the processes left in the folder.
HeapProfile ReadFolder(const fs::path& folder) {
  ProfileMerger merger;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& path : files) {
    const auto text = ReadFile(path);
    const absl::Status status = text.ok() ? merger.Add(*text) : text.status();
    if (!status.ok()) {
      Fail(absl::StrCat("process ", path.filename().string(),
                        " is left out: ", status.message()),
           0);
    }
  }
  return merger.profile();
}

}  // namespace

int Profile(const ProfileFlags& flags) {
  if (flags.diff) {
    return flags.command.size() == 2
               ? Compare(flags)
               : Fail("--diff wants two files (--help tells more)", 2);
  }
  if (flags.command.empty()) {
    return Fail("no command to run (--help tells more)", 2);
  }
  const auto library =
      FindLibrary(LibraryName(flags.backend, "adaptive", "off"));
  if (!library.ok()) return Fail(library.status().message(), 2);
  if (const int status = EnterForRun(*library)) return status;
  PassedSignals signals;
  const PrivateFolder folder;
  if (folder.path().empty()) {
    return Fail(
        absl::StrCat("cannot make a temporary folder: ", strerror(errno)), 2);
  }
  Command command = {.arguments = flags.command};
  command.variables = {
      Preload(*library),
      "HAKMEM_PROFILE=" + (folder.path() / "%p").string(),
      "HAKMEM_PROFILE_RATE=" + flags.rate,
  };
  const ProcessResult ending = RunInPlace(std::move(command), signals);
  if (ending.ending == ProcessResult::kNotStarted) {
    return Fail(ending.problem, ending.ShellStatus());
  }
  HeapProfile profile = ReadFolder(folder.path());
  if (profile.sites.empty()) {
    const std::string why =
        ending.ending == ProcessResult::kSignaled
            ? absl::StrCat("the command was ended: ", ending.Describe())
            : "no process allocated enough to be sampled, or none ended by "
              "exit on this library (a static program does not load it)";
    Fail(absl::StrCat("there is no profile: ", why), 0);
    return std::max(ending.ShellStatus(), 1);
  }
  Symbolize(profile);
  const int status = Show(flags, profile, std::cerr);
  return ending.ok() ? status : ending.ShellStatus();
}

}  // namespace hakmem::tools
