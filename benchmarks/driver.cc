#include "benchmarks/driver.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "benchmarks/analysis/against.h"
#include "benchmarks/analysis/cells.h"
#include "benchmarks/analysis/result.h"
#include "benchmarks/harness/allocators.h"
#include "benchmarks/harness/machine.h"
#include "benchmarks/harness/options.h"
#include "benchmarks/harness/process.h"
#include "benchmarks/harness/schedule.h"
#include "benchmarks/report/html.h"
#include "benchmarks/report/markdown.h"
#include "benchmarks/report/terminal.h"
#include "nlohmann/json.hpp"

namespace hakmem::bench {
namespace {

constexpr int kFailed = 1;
constexpr int kBadInput = 2;
constexpr int kInterrupted = 130;

int Complain(int status, std::string_view message) {
  absl::FPrintF(stderr, "compare: %s\n", message);
  return status;
}

// The arguments in one line that may be published: where files lie is nobody's
// business.
std::string PublicCommand(const char* default_suite,
                          const std::vector<std::string>& arguments) {
  const char* const target =
      std::string_view(default_suite) == "ace" ? "ace" : "compare";
  std::string command = target;
  for (const std::string& argument : arguments) {
    const size_t path = argument.find('/');
    const bool is_path =
        path == 0 || (path != std::string::npos && argument[path - 1] == '=');
    absl::StrAppend(&command, " ",
                    is_path
                        ? absl::StrCat(argument.substr(0, path), "PATH/",
                                       argument.substr(argument.rfind('/') + 1))
                        : argument);
  }
  return command;
}

// Makes the folder of --out now rather than after minutes of measuring. Empty,
// or why that cannot be.
std::string PrepareFolder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error && access(folder.c_str(), W_OK | X_OK) != 0) {
    error.assign(errno, std::generic_category());
  }
  return error ? error.message() : "";
}

std::optional<FormerResult> ReadFormer(const Options& options,
                                       std::string& error) {
  std::ifstream file(UserPath(options.against), std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    error = "cannot read it";
    return std::nullopt;
  }
  std::optional<FormerResult> former = ReadFormerResult(text.str(), error);
  if (!former.has_value()) return std::nullopt;
  error = WhyNotComparable(*former, options.suite->key,
                           static_cast<double>(options.effort));
  if (!error.empty()) return std::nullopt;
  return former;
}

void PrintOpening(const Options& options, const Measurements& measurements,
                  const Machine& machine) {
  std::cout << options.suite->title << ": "
            << absl::StrJoin(measurements.allocators, ", ",
                             [](std::string* out, const Allocator& each) {
                               absl::StrAppend(out, each.key);
                             })
            << "\n"
            << machine.cpu << ", " << machine.cores << " cores, "
            << machine.system << "\n"
            << measurements.cases.size() << " workloads, up to "
            << options.repeats << " repeats";
  if (options.seconds != 0) {
    std::cout << ", none begun after " << DurationText(options.seconds);
  }
  std::cout << "\n";
  // Half a core taken already shows in figures like these.
  if (machine.load_at_start > 0.5) {
    std::cout << "The machine is busy (load average "
              << absl::StrFormat("%.1f", machine.load_at_start)
              << "): expect a wide spread.\n";
  }
  std::cout << std::endl;
}

bool WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  return !file.fail();
}

bool WriteReports(const std::string& folder,
                  const nlohmann::ordered_json& result) {
  const std::string text = ResultText(result);
  return WriteFile(folder + "/result.json", text) &&
         WriteFile(folder + "/result.md", MarkdownReport(result)) &&
         WriteFile(folder + "/result.html", HtmlReport(text));
}

int RunAndReport(const Options& options, const std::string& command,
                 const std::optional<FormerResult>& former) {
  const std::string root = RunfilesRoot();
  if (root.empty()) {
    return Complain(kBadInput,
                    "cannot find its worker programs; start it with Bazel");
  }
  Interrupt interrupt;
  std::string error;
  Measurements measurements;
  measurements.cases = ChosenCases(options);
  measurements.cores = UsableCores();
  std::optional<Roster> roster =
      FindAllocators(options, measurements.cases, root, interrupt, error);
  if (!roster.has_value() && error.empty()) {
    return Complain(kInterrupted, "interrupted before the first run");
  }
  if (!roster.has_value()) return Complain(kBadInput, error);
  measurements.allocators = std::move(roster->allocators);

  RunInfo info{.suite = options.suite,
               .command = command,
               .started = Now(),
               .effort = options.effort,
               .machine = DescribeMachine(),
               .absent = std::move(roster->absent)};
  PrintOpening(options, measurements, info.machine);
  const auto start = std::chrono::steady_clock::now();
  info.repeats =
      RunAll({root, options.repeats, options.seconds}, interrupt, measurements);
  info.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  info.interrupted = interrupt.Requested();
  if (info.interrupted) {
    std::cout << "Interrupted in repeat " << info.repeats << " of "
              << options.repeats << ": this is what there is.\n\n";
  } else if (info.repeats < options.repeats) {
    std::cout << "Stopped after " << info.repeats << " of " << options.repeats
              << " repeats, at --seconds=" << options.seconds << ".\n\n";
  }

  const Cells cells(measurements);
  std::optional<Against> against;
  if (former.has_value()) {
    against = CompareWith(*former, cells);
    against->file = std::filesystem::path(options.against).filename().string();
    against->other_machine =
        former->cpu != info.machine.cpu ||
        former->cores != static_cast<double>(info.machine.cores);
  }
  const nlohmann::ordered_json result =
      MakeResult(info, cells, against.has_value() ? &*against : nullptr);
  std::cout << TerminalReport(result, StyleOfStdout()) << std::flush;
  if (!options.out.empty()) {
    const std::string folder = UserPath(options.out);
    if (!WriteReports(folder, result)) {
      return Complain(kFailed, absl::StrCat("cannot write to ", folder));
    }
    std::cout << "\nwritten: result.json, result.md and result.html in "
              << folder << "\n";
  }
  if (info.interrupted) return kInterrupted;
  const bool is_worse = against.has_value() && against->any_worse();
  return is_worse || cells.any_failure() ? kFailed : 0;
}

}  // namespace

int DriverMain(const char* default_suite, int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  std::string error;
  const std::optional<Options> options =
      ParseOptions(arguments, default_suite, UsableCores(), error);
  if (!options.has_value()) return Complain(kBadInput, error);
  if (!options->help.empty()) {
    std::cout << options->help;
    return 0;
  }
  std::optional<FormerResult> former;
  if (!options->against.empty()) {
    former = ReadFormer(*options, error);
    if (!former.has_value()) {
      return Complain(
          kBadInput, absl::StrCat("--against=", options->against, ": ", error));
    }
  }
  if (!options->out.empty()) {
    const std::string problem = PrepareFolder(UserPath(options->out));
    if (!problem.empty()) {
      return Complain(kBadInput,
                      absl::StrCat("--out=", options->out, ": ", problem));
    }
  }
  return RunAndReport(*options, PublicCommand(default_suite, arguments),
                      former);
}

}  // namespace hakmem::bench
