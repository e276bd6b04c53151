// soak: runs the library's variants under load for minutes or hours, and checks
// every block.
//
//     ./bazelw run //tools:soak -- --minutes=60       (--help lists the flags)
//
// Each round is a process of its own (worker.cc) with one variant preloaded,
// with options, threads and a length that are drawn from the seed, and is
// reported in a line. Where it found errors, they follow, and the command that
// repeats it.
//
// Exit status: 0; 1 when errors were found; 2 for bad flags or when something
// to run is missing; 130 when interrupted (what there is was reported).

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/command_line/command_line.h"
#include "tools/libraries/library_files.h"
#include "tools/soak/outcome.h"
#include "tools/soak/plan.h"
#include "tools/soak/run_workers.h"
#include "tools/soak/soak_flags.h"

namespace hakmem::soak {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// What a round may take beyond its length, on a machine that does other things.
constexpr auto kPatience = std::chrono::minutes(5);
// What is not worth a round of its own.
constexpr auto kShortest = milliseconds(500);

int Fail(std::string_view message, int status) {
  std::cerr << "soak: " << message << std::endl;
  return status;
}

// Of stderr of a worker that prints without end.
constexpr size_t kMostCaptured = 65536;

// The environment without options of the user's: a round has those that it
// says.
std::vector<std::string> Environment(const Round& round,
                                     const std::string& library) {
  std::vector<std::string> variables = {"LD_PRELOAD=" + library};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable = *entry;
    if (absl::StartsWith(variable, "HAKMEM_")) {
      variables.emplace_back(variable.substr(0, variable.find('=')));
    }
  }
  variables.insert(variables.end(), round.options.begin(), round.options.end());
  return variables;
}

class Soak {
 public:
  Soak(const SoakFlags& flags, std::string worker, uint64_t seed)
      : flags_(flags), worker_(std::move(worker)), seed_(seed) {}

  int Run() {
    std::cout << "soak: seed " << seed_ << std::endl;
    const auto length = std::chrono::duration_cast<steady_clock::duration>(
        std::chrono::duration<double>(flags_.minutes * 60));
    const auto end = steady_clock::now() + length;
    uint64_t number = flags_.round.value_or(0);
    do {
      std::vector<Round> rounds;
      for (size_t i = 0; i < AtOnce(); ++i) {
        rounds.push_back(PlanRound(flags_, seed_, number++));
      }
      if (!flags_.round) Shorten(rounds, end - steady_clock::now());
      const absl::Status status = RunAtOnce(rounds);
      if (!status.ok()) return Fail(status.message(), 2);
    } while (!flags_.round && !interrupt_.Requested() &&
             end - steady_clock::now() > kShortest);
    std::cout << (interrupt_.Requested() ? "soak: interrupted after "
                                         : "soak: ")
              << rounds_ << " rounds: " << DescribeSum(sum_) << std::endl;
    if (sum_.errors != 0) return 1;
    return interrupt_.Requested() ? 130 : 0;
  }

 private:
  size_t AtOnce() const { return flags_.parallel && !flags_.round ? 2 : 1; }

  // The last ones end when all does.
  static void Shorten(std::vector<Round>& rounds, steady_clock::duration left) {
    for (Round& round : rounds) {
      round.length = std::clamp(std::chrono::duration_cast<milliseconds>(left),
                                kShortest, round.length);
    }
  }

  absl::Status RunAtOnce(const std::vector<Round>& rounds) {
    std::vector<tools::Command> commands;
    for (const Round& round : rounds) {
      std::string library = round.library;
      if (flags_.library.empty()) {
        const auto found = tools::FindLibrary(round.library);
        if (!found.ok()) return found.status();
        library = *found;
      }
      commands.push_back({.arguments = {worker_, absl::StrCat(round.seed),
                                        absl::StrCat(round.length.count()),
                                        absl::StrCat(round.threads),
                                        absl::StrCat(flags_.memory_mib)},
                          .variables = Environment(round, library),
                          .most_captured = kMostCaptured,
                          .time_limit = round.length + kPatience,
                          .signals = &interrupt_.former()});
    }
    const auto results = RunWorkers(commands, interrupt_);
    for (size_t i = 0; i < rounds.size(); ++i) {
      Report(rounds[i], OutcomeOf(results[i]));
    }
    return absl::OkStatus();
  }

  void Report(const Round& round, const Outcome& outcome) {
    ++rounds_;
    AddTo(sum_, outcome);
    std::cout << Describe(round, outcome) << std::endl;
    for (const std::string& line : outcome.messages) {
      std::cout << "    " << line << "\n";
    }
    if (outcome.errors == 0) return;
    std::cout << "    to repeat: ./bazelw run //tools:soak -- "
              << RepeatingFlags(flags_, seed_, round.number) << std::endl;
  }

  const SoakFlags& flags_;
  const std::string worker_;
  const uint64_t seed_;
  tools::Interrupt interrupt_;
  uint64_t rounds_ = 0;
  Outcome sum_;
};

// The file that the user means, wherever `bazel run` started this.
absl::StatusOr<std::string> UsersFile(const std::string& name) {
  std::error_code error;
  const fs::path path = fs::canonical(hakmem::tools::UserDirectory() / name, error);
  if (error) {
    return absl::NotFoundError(
        absl::StrCat("--library=", name, ": ", error.message()));
  }
  return path.string();
}

int Main(const std::vector<std::string>& arguments) {
  auto flags = ParseSoakFlags(arguments);
  if (!flags.ok()) return Fail(flags.status().message(), 2);
  if (!flags->help.empty()) {
    std::cout << flags->help;
    return 0;
  }
  if (!flags->library.empty()) {
    const auto library = UsersFile(flags->library);
    if (!library.ok()) return Fail(library.status().message(), 2);
    flags->library = *library;
  }
  const auto worker = tools::FindLibrary("tools/soak/soak_worker");
  if (!worker.ok()) return Fail(worker.status().message(), 2);
  const uint64_t seed = flags->seed.value_or(static_cast<uint64_t>(
      std::chrono::system_clock::now().time_since_epoch().count() / 1'000'000));
  return Soak(*flags, *worker, seed).Run();
}

}  // namespace
}  // namespace hakmem::soak

int main(int argc, char** argv) {
  return hakmem::soak::Main(std::vector<std::string>(argv + 1, argv + argc));
}
