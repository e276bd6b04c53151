// hakmem: runs any command on the library, and says afterwards what happened.
//
//     hakmem --backend=superslab --stats -- python3 app.py
//
// The library is preloaded into the command and all that it starts. They write
// their figures and failures into a private folder, of which the summary on
// stderr is made. The command's exit status is kept; 2 is for bad flags, 126
// and 127 are for commands that cannot be run, as with shells.

#include <string.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/hakmem_flags.h"
#include "tools/hakmem_summary.h"
#include "tools/library_files.h"
#include "tools/run_command.h"

namespace hakmem::tools {
namespace {

namespace fs = std::filesystem;

// A folder that only this user can read and that goes when this does.
class PrivateFolder {
 public:
  PrivateFolder() {
    std::error_code error;
    const fs::path parent = fs::temp_directory_path(error);
    std::string pattern = error ? "/tmp" : parent.string();
    pattern += "/hakmem-XXXXXX";
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~PrivateFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  // Empty when it could not be made.
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// What the file holds from `offset` on; nothing when there is none.
std::string ReadFrom(const fs::path& path, uintmax_t offset) {
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  return {std::istreambuf_iterator<char>(file), {}};
}

uintmax_t SizeOf(const fs::path& path) {
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);
  return error ? 0 : size;
}

// Where the user typed the command: `bazel run` starts this elsewhere.
fs::path UserDirectory() {
  const char* const typed_in = std::getenv("BUILD_WORKING_DIRECTORY");
  std::error_code ignored;
  return typed_in != nullptr ? fs::path(typed_in) : fs::current_path(ignored);
}

// This environment, with variables replaced and the library preloaded in front
// of what else is.
class Environment {
 public:
  Environment() {
    for (char** entry = environ; *entry != nullptr; ++entry) {
      variables_.emplace_back(*entry);
    }
  }
  void Set(const std::string& name, const std::string& value) {
    const std::string prefix = name + "=";
    std::erase_if(variables_, [&](const std::string& variable) {
      return absl::StartsWith(variable, prefix);
    });
    variables_.push_back(prefix + value);
  }
  void Preload(const std::string& library) {
    const char* const others = std::getenv("LD_PRELOAD");
    Set("LD_PRELOAD", others == nullptr || *others == '\0'
                          ? library
                          : absl::StrCat(library, ":", others));
  }
  const std::vector<std::string>& variables() const { return variables_; }

 private:
  std::vector<std::string> variables_;
};

// On one line, and cut where it is too long to be read.
std::string ForPeople(const std::vector<std::string>& command) {
  constexpr size_t kMostBytes = 60;
  std::string text = absl::StrJoin(command, " ");
  if (text.size() > kMostBytes) text.replace(kMostBytes, text.npos, "...");
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return text;
}

int Fail(const std::string& message, int status) {
  std::cerr << "hakmem: " << message << std::endl;
  return status;
}

int RunOnLibrary(const HakmemFlags& flags) {
  const auto library = FindLibrary(LibraryName(flags.backend, flags.ace));
  if (!library.ok()) return Fail(std::string(library.status().message()), 2);
  if (library->find_first_of(" :") != std::string::npos) {
    return Fail(absl::StrCat(*library,
                             ": LD_PRELOAD cannot hold a path with a "
                             "space or a colon"),
                2);
  }
  const PrivateFolder folder;
  if (folder.path().empty()) {
    return Fail(
        absl::StrCat("cannot make a temporary folder: ", strerror(errno)), 2);
  }
  const fs::path directory = UserDirectory();
  const fs::path statistics = folder.path() / "statistics";
  // With --trace the user reads the lines where they go; from a file they can
  // be summed up as well.
  const bool trace_to_stderr = flags.trace && flags.trace_file.empty();
  const fs::path trace = flags.trace_file.empty()
                             ? folder.path() / "failures"
                             : directory / flags.trace_file;
  const uintmax_t traced_before = SizeOf(trace);

  Environment environment;
  environment.Preload(*library);
  environment.Set("HAKMEM_STATS_AT_EXIT", statistics.string());
  environment.Set("HAKMEM_ACE_TRACE", trace_to_stderr ? "1" : trace.string());
  for (const auto& [name, value] : flags.options) environment.Set(name, value);

  CommandRun run;
  run.command = ForPeople(flags.command);
  run.library = fs::path(*library).filename().string();
  run.ending = RunCommand(flags.command, environment.variables(), directory);
  if (run.ending.start_error != 0) {
    return Fail(absl::StrCat("cannot run ", flags.command[0], ": ",
                             strerror(run.ending.start_error)),
                run.ending.ShellStatus());
  }
  run.processes = ParseFigures(ReadFrom(statistics, 0));
  run.failures = ParseFailures(ReadFrom(trace, traced_before));
  std::cerr << Summarize(run, flags.stats) << std::flush;
  return run.ending.ShellStatus();
}

}  // namespace
}  // namespace hakmem::tools

int main(int argc, char** argv) {
  const auto flags = hakmem::tools::ParseHakmemFlags(
      std::vector<std::string_view>(argv + 1, argv + argc));
  if (!flags.ok()) {
    return hakmem::tools::Fail(std::string(flags.status().message()), 2);
  }
  if (flags->help) {
    std::cout << hakmem::tools::HakmemHelp();
    return 0;
  }
  return hakmem::tools::RunOnLibrary(*flags);
}
