// hakmem: runs any command on the library, and says afterwards what happened.
//
//     hakmem --backend=superslab --stats -- python3 app.py
//
// The library is preloaded into the command and all that it starts. They write
// their figures and failures into a private folder, of which the summary on
// stderr is made. The command's exit status is kept; 2 is for bad flags, 126
// and 127 are for commands that cannot be run, as with shells.

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/hakmem/hakmem_flags.h"
#include "tools/hakmem/hakmem_summary.h"
#include "tools/hakmem/run_command.h"
#include "tools/libraries/library_files.h"

namespace hakmem::tools {
namespace {

namespace fs = std::filesystem;

// A folder that only this user can read and that goes when this does.
class PrivateFolder {
 public:
  // In TMPDIR or, where that cannot be written to, in /tmp.
  PrivateFolder() {
    std::error_code error;
    const fs::path parent = fs::temp_directory_path(error);
    if (error || !MakeIn(fs::absolute(parent, error))) MakeIn("/tmp");
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
  bool MakeIn(const fs::path& parent) {
    std::string pattern = (parent / "hakmem-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) return false;
    path_ = pattern;
    return true;
  }

  fs::path path_;
};

// The file's size; 0 when there is none, or it is no regular file: what was
// written to a terminal or a pipe cannot be read again.
uintmax_t SizeOf(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return 0;
  const uintmax_t size = fs::file_size(path, error);
  return error ? 0 : size;
}

// What the file holds from `offset` on; nothing when there is none.
std::string ReadFrom(const fs::path& path, uintmax_t offset) {
  if (SizeOf(path) <= offset) return {};
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  std::string text;
  char part[4096];
  while (file.read(part, sizeof(part)), file.gcount() > 0) {
    text.append(part, static_cast<size_t>(file.gcount()));
  }
  return text;
}

// Why the library could not append to the file `path`; 0 when it could. Makes
// no file: the command may have nothing to tell.
int ErrorOfAppendingTo(const fs::path& path) {
  const int file = open(
      path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file >= 0) {
    close(file);
    return 0;
  }
  // A pipe whose reader may come yet.
  if (errno == ENXIO) return 0;
  if (errno != ENOENT) return errno;
  const fs::path folder = path.parent_path();
  return access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) == 0
             ? 0
             : errno;
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

// Runs the command and reads what it left in a folder that is gone afterwards.
// Not 0 when the command could not be run: what this is to exit with.
int RunInFolder(const HakmemFlags& flags, const std::string& library,
                HeldSignals& signals, CommandRun& run) {
  const PrivateFolder folder;
  if (folder.path().empty()) {
    return Fail(
        absl::StrCat("cannot make a temporary folder: ", strerror(errno)), 2);
  }
  const fs::path statistics = folder.path() / "statistics";
  // With --trace the user reads the lines where they go; from a file they can
  // be summed up as well.
  const bool trace_to_stderr = flags.trace && flags.trace_file.empty();
  fs::path trace = folder.path() / "failures";
  if (!flags.trace_file.empty()) {
    std::error_code error_of_path;
    const fs::path absolute = fs::absolute(flags.trace_file, error_of_path);
    const fs::path file = error_of_path ? fs::path(flags.trace_file) : absolute;
    if (const int error = ErrorOfAppendingTo(file); error == 0) {
      trace = file;
    } else {
      Fail(absl::StrCat("--trace=", flags.trace_file, ": ", strerror(error),
                        "; failures are only summed up at the end"),
           0);
    }
  }
  const uintmax_t traced_before = SizeOf(trace);

  Environment environment;
  environment.Preload(library);
  environment.Set("HAKMEM_STATS_AT_EXIT", statistics.string());
  environment.Set("HAKMEM_ACE_TRACE", trace_to_stderr ? "1" : trace.string());
  for (const auto& [name, value] : flags.options) environment.Set(name, value);

  run.command = ForPeople(flags.command);
  run.library = fs::path(library).filename().string();
  run.ending = RunCommand(flags.command, environment.variables(), signals);
  if (run.ending.start_error != 0) {
    return Fail(absl::StrCat("cannot run ", flags.command[0], ": ",
                             strerror(run.ending.start_error)),
                run.ending.ShellStatus());
  }
  run.processes = ParseFigures(ReadFrom(statistics, 0));
  run.failures = ParseFailures(ReadFrom(trace, traced_before));
  return 0;
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
  const fs::path directory = UserDirectory();
  if (!directory.empty() && chdir(directory.c_str()) != 0) {
    return Fail(absl::StrCat("cannot enter ", directory.string(), ": ",
                             strerror(errno)),
                126);
  }
  HeldSignals signals;
  CommandRun run;
  if (const int status = RunInFolder(flags, *library, signals, run)) {
    return status;
  }
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
  if (!flags->warning.empty()) hakmem::tools::Fail(flags->warning, 0);
  return hakmem::tools::RunOnLibrary(*flags);
}
