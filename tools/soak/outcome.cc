#include "tools/soak/outcome.h"

#include <string.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tools/text/human_bytes.h"

namespace hakmem::soak {
namespace {

constexpr int kErrorsFound = 1;  // a worker's exit status

// Why the worker did not end as it should; empty when it did.
std::string BadEnding(const WorkerEnding& ending) {
  if (ending.timed_out) return "it stood still and was killed";
  if (WIFSIGNALED(ending.status)) {
    const int signal = WTERMSIG(ending.status);
    return absl::StrCat("it was ended by signal ", signal, " (",
                        strsignal(signal), ")");
  }
  const int status = WEXITSTATUS(ending.status);
  if (status == 0 || status == kErrorsFound) return "";
  return absl::StrCat("it ended with status ", status);
}

std::string Counted(uint64_t count) {
  if (count < 100'000) return absl::StrCat(count);
  return absl::StrFormat("%.1f M", static_cast<double>(count) / 1e6);
}

std::string Figures(const Outcome& outcome) {
  return absl::StrCat(Counted(outcome.operations), " operations, ",
                      Counted(outcome.checked), " checks, ", outcome.forks,
                      " forks, ", outcome.threads, " threads, ", outcome.limits,
                      " limits, ", Counted(outcome.refused), " refused, peak ",
                      tools::HumanBytes(outcome.peak_kib * 1024));
}

}  // namespace

Outcome JudgeEnding(const WorkerEnding& ending) {
  std::map<std::string_view, uint64_t> figures;
  for (const std::string_view pair :
       absl::StrSplit(absl::StripSuffix(ending.output, "\n"), ' ')) {
    const std::vector<std::string_view> parts = absl::StrSplit(pair, '=');
    uint64_t value = 0;
    if (parts.size() == 2 && absl::SimpleAtoi(parts[1], &value)) {
      figures[parts[0]] = value;
    }
  }
  Outcome outcome;
  outcome.operations = figures["operations"];
  outcome.checked = figures["checked"];
  outcome.refused = figures["refused"];
  outcome.threads = figures["threads"];
  outcome.forks = figures["forks"];
  outcome.limits = figures["limits"];
  outcome.peak_kib = figures["peak_kib"];
  outcome.errors = figures["errors"];
  outcome.complaints = absl::StrSplit(ending.errors, '\n', absl::SkipEmpty());
  std::string bad = BadEnding(ending);
  // Without its line of figures it has not come to the end.
  if (bad.empty() && figures.empty()) bad = "it printed no figures";
  if (!bad.empty()) {
    outcome.complaints.push_back(bad);
    ++outcome.errors;
  } else if (WEXITSTATUS(ending.status) == kErrorsFound) {
    outcome.errors = std::max<uint64_t>(outcome.errors, 1);
  }
  return outcome;
}

void AddTo(Outcome& sum, const Outcome& one) {
  sum.operations += one.operations;
  sum.checked += one.checked;
  sum.refused += one.refused;
  sum.threads += one.threads;
  sum.forks += one.forks;
  sum.limits += one.limits;
  sum.peak_kib = std::max(sum.peak_kib, one.peak_kib);
  sum.errors += one.errors;
}

std::string Describe(const Round& round, const Outcome& outcome) {
  std::string options = absl::StrJoin(round.options, " ");
  if (!options.empty()) options = absl::StrCat(" (", options, ")");
  return absl::StrFormat(
      "round %d: %s, %d thread%s, %.1f s%s: %s: %s", round.number,
      std::filesystem::path(round.library).filename().string(), round.threads,
      round.threads == 1 ? "" : "s",
      static_cast<double>(round.length.count()) / 1000, options,
      Figures(outcome),
      outcome.errors == 0 ? "ok" : absl::StrCat(outcome.errors, " ERRORS"));
}

std::string DescribeSum(const Outcome& sum) {
  return absl::StrCat(Figures(sum), "; ", sum.errors, " errors");
}

}  // namespace hakmem::soak
