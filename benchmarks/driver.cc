#include "benchmarks/driver.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "benchmarks/harness/machine.h"
#include "benchmarks/harness/process.h"
#include "benchmarks/harness/schedule.h"
#include "benchmarks/report/chart.h"

namespace hakmem::bench {
namespace {

bool WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  return !file.fail();
}

// The arguments in one line that may be published: where files lie is nobody's
// business.
std::string PublicArguments(const std::vector<std::string_view>& arguments) {
  return absl::StrJoin(
      arguments, " ", [](std::string* out, std::string_view argument) {
        const size_t path = argument.find('/');
        const bool is_absolute = path == 0 || (path != std::string_view::npos &&
                                               argument[path - 1] == '=');
        if (!is_absolute) {
          absl::StrAppend(out, argument);
          return;
        }
        absl::StrAppend(out, argument.substr(0, path), "PATH/",
                        argument.substr(argument.rfind('/') + 1));
      });
}

void PrintOpening(const Suite& suite, const RunOptions& options,
                  const Roster& roster, const RunInfo& info) {
  const auto names = absl::StrJoin(
      roster.contenders, ", ", [](std::string* out, const Contender& each) {
        absl::StrAppend(
            out, each.name,
            each.kind == Contender::kFloor ? "" : " (" + each.version + ")");
      });
  std::cout << suite.name << ": " << names << "\n";
  for (const std::string& line : roster.absent) {
    std::cout << "not here: " << line << "\n";
  }
  for (const auto& [label, value] : info.machine) {
    std::cout << label << ": " << value << "\n";
  }
  std::cout << "up to " << options.repeats << " " << suite.amount << "\n";
  // Half a core taken already shows in figures like these.
  if (LoadAverage() > 0.5) {
    std::cout << "The machine is busy (load average "
              << absl::StrFormat("%.1f", LoadAverage())
              << "): expect a wide spread.\n";
  }
  std::cout << std::endl;
}

}  // namespace

int Complain(std::string_view program, int status, std::string_view message) {
  absl::FPrintF(stderr, "%s: %s\n", program, message);
  return status;
}

int RunSuite(const Suite& suite, const RunOptions& options,
             const std::vector<std::string_view>& arguments) {
  const std::string root = RunfilesRoot(suite.field);
  if (root.empty()) {
    return Complain(suite.program, kBadInput,
                    "cannot find its worker program; start it with Bazel");
  }
  const std::string out = options.out.empty() ? "" : UserPath(options.out);
  if (!out.empty()) {
    // Now rather than after minutes of measuring.
    std::error_code error;
    std::filesystem::create_directories(out, error);
    if (!error && access(out.c_str(), W_OK | X_OK) != 0) {
      error.assign(errno, std::generic_category());
    }
    if (error) {
      return Complain(
          suite.program, kBadInput,
          absl::StrCat("--out=", options.out, ": ", error.message()));
    }
  }

  Interrupt interrupt;
  const absl::StatusOr<Roster> roster =
      FindContenders(suite.field, options, root, interrupt);
  if (absl::IsCancelled(roster.status())) {
    return Complain(suite.program, kInterrupted,
                    "interrupted before the first run");
  }
  if (!roster.ok()) {
    return Complain(suite.program, kBadInput, roster.status().message());
  }

  const RunInfo info{
      suite.name, absl::StrCat(suite.program, " ", PublicArguments(arguments)),
      DescribeMachine(), roster->absent, suite.effort};
  PrintOpening(suite, options, *roster, info);
  Results results(roster->contenders, suite.cases, UsableCores());
  const uint64_t repeats =
      RunAll({root, options.repeats, options.seconds, suite.failure_ends},
             interrupt, results);
  const bool interrupted = interrupt.Requested();
  if (interrupted) {
    std::cout << "Interrupted in repeat " << repeats << " of "
              << options.repeats << ": this is what there is.\n\n";
  } else if (repeats < options.repeats) {
    std::cout << "Stopped after " << repeats << " of " << options.repeats
              << " repeats, at --seconds=" << options.seconds << ".\n\n";
  }
  const Judgement judgement = suite.judge(results);
  std::cout << suite.text_report(results, judgement, TerminalShowsUtf8())
            << std::flush;

  if (!out.empty()) {
    std::vector<std::string> written;
    for (const ReportFile& file : suite.files) {
      written.push_back(
          absl::StrCat(out, "/", suite.program, ".", file.extension));
      if (!WriteFile(written.back(), file.make(results, judgement, info))) {
        return Complain(suite.program, kFailed,
                        absl::StrCat("cannot write to ", out));
      }
    }
    std::cout << "\nwritten: " << absl::StrJoin(written, ", ") << "\n";
  }
  Conclusion conclusion;
  if (suite.conclude) conclusion = suite.conclude(results, info);
  std::cout << conclusion.text;
  if (interrupted) return kInterrupted;
  return conclusion.failed || results.any_failure() ? kFailed : 0;
}

}  // namespace hakmem::bench
