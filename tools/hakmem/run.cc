#include "tools/hakmem/run.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/hakmem/hakmem_summary.h"
#include "tools/hakmem/private_folder.h"
#include "tools/hakmem/run_in_place.h"
#include "tools/libraries/library_files.h"
#include "tools/subprocess/subprocess.h"

namespace hakmem::tools {
namespace {

namespace fs = std::filesystem;

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

// Whether every user can read the file at `path`, which is absolute.
bool IsForAll(const fs::path& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0 || (status.st_mode & S_IROTH) == 0) {
    return false;
  }
  for (fs::path folder = path.parent_path();; folder = folder.parent_path()) {
    if (stat(folder.c_str(), &status) != 0 || (status.st_mode & S_IXOTH) == 0) {
      return false;
    }
    if (folder == folder.root_path()) return true;
  }
}

// A command started by root may go on as another user (su, setpriv, services).
// Lets those reach the library and the files named in the folder, though not
// list it. Returns the path to preload.
std::string OpenToOtherUsers(const fs::path& folder, const std::string& library,
                             const std::vector<fs::path>& files) {
  if (geteuid() != 0) return library;
  chmod(folder.c_str(), 0711);
  for (const fs::path& file : files) {
    std::ofstream(file, std::ios::app).flush();
    chmod(file.c_str(), 0666);
  }
  if (IsForAll(library)) return library;
  const fs::path copy = folder / fs::path(library).filename();
  std::error_code error;
  fs::copy_file(library, copy, error);
  if (error || chmod(copy.c_str(), 0644) != 0) return library;
  return copy.string();
}

// The command's own row, when it left no figures: the kernel knows its peak.
void AddKernelsPeak(pid_t pid, CommandRun& run) {
  for (ProcessFigures& process : run.processes) {
    if (process.pid == static_cast<uint64_t>(pid) && !process.has_figures) {
      process.peak_resident = run.ending.peak_resident_bytes;
    }
  }
}

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

// Where failures are to be written: where the user wants them, or `otherwise`
// when that cannot be written to.
fs::path TraceFile(const std::string& wanted, const fs::path& otherwise) {
  std::error_code error_of_path;
  const fs::path absolute = fs::absolute(wanted, error_of_path);
  const fs::path file = error_of_path ? fs::path(wanted) : absolute;
  const int error = ErrorOfAppendingTo(file);
  if (error == 0) return file;
  Fail(absl::StrCat("--trace=", wanted, ": ", strerror(error),
                    "; failures are only summed up at the end"),
       0);
  return otherwise;
}

// Runs the command and reads what it left in a folder that is gone afterwards.
// Not 0 when the command could not be run: what this is to exit with.
int RunInFolder(const RunFlags& flags, const std::string& library,
                PassedSignals& signals, CommandRun& run) {
  const PrivateFolder folder;
  if (folder.path().empty()) {
    return Fail(
        absl::StrCat("cannot make a temporary folder: ", strerror(errno)), 2);
  }
  const fs::path statistics = folder.path() / "statistics";
  // On stderr the user reads text; lines of JSON in a file can be summed up as
  // well.
  const bool trace_to_stderr = flags.trace == "-";
  fs::path trace = folder.path() / "failures.jsonl";
  if (!flags.trace.empty() && !trace_to_stderr) {
    trace = TraceFile(flags.trace, trace);
  }
  const uintmax_t traced_before = SizeOf(trace);

  const std::string preloaded = OpenToOtherUsers(
      folder.path(), library, {statistics, folder.path() / "failures.jsonl"});
  Command command = {.arguments = flags.command};
  command.variables = {
      Preload(preloaded), "HAKMEM_STATS_AT_EXIT=" + statistics.string(),
      "HAKMEM_ACE_TRACE=" + (trace_to_stderr ? "1" : trace.string()),
      std::string("HAKMEM_ACE_TRACE_FORMAT=") +
          (trace_to_stderr ? "text" : "json")};
  command.variables.insert(command.variables.end(), flags.options.begin(),
                           flags.options.end());
  // What only this reads. A FILE of the user's may have another format, and is
  // then not summed up.
  if (!trace_to_stderr && trace.parent_path() == folder.path()) {
    command.variables.emplace_back("HAKMEM_ACE_TRACE_FORMAT=json");
  }
  if (flags.stats) command.variables.emplace_back("HAKMEM_STATS_AT_BEGIN=1");
  run.command = ForPeople(flags.command);
  run.library = fs::path(library).filename().string();
  pid_t pid = 0;
  run.ending = RunInPlace(std::move(command), signals, &pid);
  if (run.ending.ending == ProcessResult::kNotStarted) {
    return Fail(run.ending.problem, run.ending.ShellStatus());
  }
  run.processes = ParseFigures(ReadFrom(statistics, 0));
  AddKernelsPeak(pid, run);
  run.failures = ParseFailures(ReadFrom(trace, traced_before));
  return 0;
}

}  // namespace

int Run(const RunFlags& flags) {
  const bool usual_pool = flags.ace == "adaptive";
  const bool is_hardened = flags.hardening != "off";
  const std::string variant =
      is_hardened ? absl::StrCat("--hardening=", flags.hardening)
                  : absl::StrCat("--ace=", flags.ace);
  if (is_hardened && !usual_pool) {
    return Fail(absl::StrCat(variant, ": there is no such library with --ace=",
                             flags.ace),
                2);
  }
  const auto library =
      FindLibrary(LibraryName(flags.backend, flags.ace, flags.hardening));
  if (absl::IsNotFound(library.status()) && (is_hardened || !usual_pool)) {
    return Fail(absl::StrCat(variant,
                             ": that library is not built with this program; "
                             "//tools:hakmem_all is the same with all of them"),
                2);
  }
  if (!library.ok()) return Fail(library.status().message(), 2);
  if (const int status = EnterForRun(*library)) return status;
  PassedSignals signals;
  CommandRun run;
  if (const int status = RunInFolder(flags, *library, signals, run)) {
    return status;
  }
  std::cerr << Summarize(run, flags.stats) << std::flush;
  return run.ending.ShellStatus();
}

}  // namespace hakmem::tools
