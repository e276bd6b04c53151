// Compares allocators on the random-mixed workload (random_mixed.h):
//
//   ./bazelw run //benchmarks:compare -- [flags]      (--help lists them)
//
// HAKMEM's variants, glibc and every other allocator that is installed run in
// processes of their own, interleaved; the report says what each costs per
// operation, against the others and above the harness floor, and whether what
// the project asked of its allocator was reached.
//
// Exit status: 0; 1 when an allocator failed or a file could not be written;
// 2 on bad flags or a library that cannot be preloaded; 130 when interrupted
// (the report then holds what there is).
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "benchmarks/chart.h"
#include "benchmarks/contenders.h"
#include "benchmarks/machine.h"
#include "benchmarks/options.h"
#include "benchmarks/process.h"
#include "benchmarks/report_html.h"
#include "benchmarks/report_json.h"
#include "benchmarks/report_text.h"
#include "benchmarks/results.h"
#include "benchmarks/schedule.h"

namespace hakmem::bench {
namespace {

constexpr int kFailed = 1;
constexpr int kBadInput = 2;
constexpr int kInterrupted = 130;

int Complain(int status, std::string_view message) {
  absl::FPrintF(stderr, "compare: %s\n", message);
  return status;
}

bool WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  return !file.fail();
}

// Working sets in the outer loop: the report begins with the smallest.
std::vector<Case> Cases(const Options& options) {
  std::vector<Case> cases;
  for (const uint64_t slots : options.sets) {
    for (const uint64_t threads : options.threads) {
      cases.push_back({slots, threads});
    }
  }
  return cases;
}

void PrintOpening(const Options& options, const Roster& roster,
                  const RunInfo& info) {
  const auto names = absl::StrJoin(
      roster.contenders, ", ", [](std::string* out, const Contender& each) {
        absl::StrAppend(
            out, each.name,
            each.kind == Contender::kFloor ? "" : " (" + each.version + ")");
      });
  std::cout << "random-mixed: " << names << "\n";
  for (const std::string& line : roster.absent) {
    std::cout << "not here: " << line << "\n";
  }
  for (const auto& [label, value] : info.machine) {
    std::cout << label << ": " << value << "\n";
  }
  std::cout << "up to " << options.repeats << " runs of " << options.operations
            << " operations per thread\n";
  // Half a core taken already shows in figures like these.
  if (LoadAverage() > 0.5) {
    std::cout << "The machine is busy (load average "
              << absl::StrFormat("%.1f", LoadAverage())
              << "): expect a wide spread.\n";
  }
  std::cout << std::endl;
}

int Main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const uint64_t cores = UsableCores();
  const absl::StatusOr<Options> options = ParseOptions(arguments, cores);
  if (!options.ok()) return Complain(kBadInput, options.status().message());
  if (options->help) {
    std::cout << HelpText();
    return 0;
  }
  const std::string root = RunfilesRoot();
  if (root.empty()) {
    return Complain(kBadInput,
                    "cannot find its worker program; start it with Bazel");
  }
  const std::string out = options->out.empty() ? "" : UserPath(options->out);
  if (!out.empty()) {
    // Now rather than after minutes of measuring.
    std::error_code error;
    std::filesystem::create_directories(out, error);
    if (error) {
      return Complain(kBadInput, absl::StrCat("--out=", options->out, ": ",
                                              error.message()));
    }
  }

  Interrupt interrupt;
  const absl::StatusOr<Roster> roster =
      FindContenders(*options, root, interrupt);
  if (absl::IsCancelled(roster.status())) {
    return Complain(kInterrupted, "interrupted before the first run");
  }
  if (!roster.ok()) return Complain(kBadInput, roster.status().message());

  const RunInfo info{absl::StrCat("compare ", absl::StrJoin(arguments, " ")),
                     DescribeMachine(), roster->absent};
  PrintOpening(*options, *roster, info);
  Results results(roster->contenders, Cases(*options), cores);
  const uint64_t repeats =
      RunAll(*options, WorkerPath(root), interrupt, results);
  const bool interrupted = interrupt.Requested();
  if (interrupted) {
    std::cout << "Interrupted in repeat " << repeats << " of "
              << options->repeats << ": this is what there is.\n\n";
  } else if (repeats < options->repeats) {
    std::cout << "Stopped after " << repeats << " of " << options->repeats
              << " repeats, at --seconds=" << options->seconds << ".\n\n";
  }
  std::cout << TextReport(results, TerminalShowsUtf8()) << std::flush;

  if (!out.empty()) {
    const std::string json = out + "/compare.json";
    const std::string html = out + "/compare.html";
    if (!WriteFile(json, JsonReport(results, info).Dump(1) + "\n") ||
        !WriteFile(html, HtmlReport(results, info))) {
      return Complain(kFailed, absl::StrCat("cannot write to ", out));
    }
    std::cout << "\nwritten: " << json << " and " << html << "\n";
  }
  if (interrupted) return kInterrupted;
  return results.any_failure() ? kFailed : 0;
}

}  // namespace
}  // namespace hakmem::bench

int main(int argc, char** argv) { return hakmem::bench::Main(argc, argv); }
