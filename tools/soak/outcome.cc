#include "tools/soak/outcome.h"

#include <string.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"
#include "tools/text/human_bytes.h"

namespace hakmem::soak {
namespace {

using tools::ProcessResult;

constexpr int kErrorsFound = 1;  // a worker's exit status
constexpr char kPeak[] = "peak_kib";

std::map<std::string, uint64_t> ParseCounters(const std::string& text) {
  std::map<std::string, uint64_t> counters;
  const auto object =
      nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return counters;
  for (const auto& [name, value] : object.items()) {
    if (value.is_number_unsigned()) counters[name] = value;
  }
  return counters;
}

// Why the worker did not end as it should; empty when it did.
std::string BadEnding(const ProcessResult& worker) {
  switch (worker.ending) {
    case ProcessResult::kExited:
      if (worker.code == 0 || worker.code == kErrorsFound) return "";
      return absl::StrCat("it ended with status ", worker.code);
    case ProcessResult::kSignaled:
      return absl::StrCat("it was ended by signal ", worker.code, " (",
                          strsignal(worker.code), ")");
    case ProcessResult::kTimedOut:
      return "it took too long and was killed";
    case ProcessResult::kNotStarted:
    case ProcessResult::kUnknown:
      break;
  }
  return worker.Describe();
}

std::string Counted(uint64_t count) {
  if (count < 100'000) return absl::StrCat(count);
  return absl::StrFormat("%.1f M", static_cast<double>(count) / 1e6);
}

std::string Figures(const Outcome& outcome) {
  const auto counter = [&](const char* name) {
    const auto found = outcome.counters.find(name);
    return found == outcome.counters.end() ? 0 : found->second;
  };
  return absl::StrCat(Counted(counter("operations")), " operations, ",
                      Counted(counter("checked")), " checks, ",
                      counter("forks"), " forks, ", counter("threads"),
                      " threads, ", counter("limits"), " limits, ",
                      Counted(counter("refused")), " refused, peak ",
                      tools::HumanBytes(counter(kPeak) * 1024));
}

}  // namespace

Outcome OutcomeOf(const ProcessResult& worker) {
  Outcome outcome;
  outcome.counters = ParseCounters(worker.output);
  const bool complete = !outcome.counters.empty();
  outcome.errors = outcome.counters["errors"];
  outcome.messages = absl::StrSplit(worker.errors, '\n', absl::SkipEmpty());
  std::string bad = BadEnding(worker);
  // Without its counters it has not come to the end.
  if (bad.empty() && !complete) bad = "it printed no figures";
  if (!bad.empty()) {
    outcome.messages.push_back(bad);
    ++outcome.errors;
  } else if (worker.code == kErrorsFound) {
    outcome.errors = std::max<uint64_t>(outcome.errors, 1);
  }
  return outcome;
}

void AddTo(Outcome& sum, const Outcome& one) {
  for (const auto& [name, value] : one.counters) {
    uint64_t& total = sum.counters[name];
    total = name == kPeak ? std::max(total, value) : total + value;
  }
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
