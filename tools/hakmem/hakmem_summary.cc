#include "tools/hakmem/hakmem_summary.h"

#include <cxxabi.h>
#include <string.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tools/text/human_bytes.h"
#include "tools/text/table.h"

namespace hakmem::tools {
namespace {

// A summary that is longer than a screen is not read.
constexpr size_t kMostProcesses = 10;
constexpr size_t kMostKinds = 20;

constexpr std::string_view kPrefix = "hakmem: ";

// Takes "hakmem: " or "hakmem[1234]: " off the front, if it is there.
void TakePrefix(std::string_view& line) {
  std::string_view rest = line;
  if (!absl::ConsumePrefix(&rest, "hakmem")) return;
  if (absl::ConsumePrefix(&rest, "[")) {
    const size_t digits = rest.find_first_not_of("0123456789");
    rest.remove_prefix(std::min(digits, rest.size()));
    if (!absl::ConsumePrefix(&rest, "]")) return;
  }
  if (absl::ConsumePrefix(&rest, ": ")) line = rest;
}

// What stands behind `"name":` in a flat JSON object, quotes removed.
std::string_view JsonField(std::string_view object, std::string_view name) {
  const size_t key = object.find(absl::StrCat("\"", name, "\":"));
  if (key == std::string_view::npos) return {};
  std::string_view value = object.substr(key + name.size() + 3);
  if (absl::ConsumePrefix(&value, "\"")) {
    return value.substr(0, value.find('"'));
  }
  return value.substr(0, value.find_first_of(",}"));
}

uint64_t JsonNumber(std::string_view object, std::string_view name) {
  uint64_t number = 0;
  return absl::SimpleAtoi(JsonField(object, name), &number) ? number : 0;
}

// Takes "(N more were not printed) " or "N more failures were not printed" off
// the front; returns N.
uint64_t TakeNotTold(std::string_view& line) {
  std::string_view rest = line;
  const bool in_front = absl::ConsumePrefix(&rest, "(");
  const size_t digits =
      std::min(rest.find_first_not_of("0123456789"), rest.size());
  uint64_t count = 0;
  if (!absl::SimpleAtoi(rest.substr(0, digits), &count)) return 0;
  rest.remove_prefix(digits);
  const std::string_view expected =
      in_front ? " more were not printed) " : " more failures were not printed";
  if (!absl::ConsumePrefix(&rest, expected)) return 0;
  line = rest;
  return count;
}

// Takes "failure 12, thread 3456: ", which differs from line to line of one
// kind, off the front; false when it is not there.
bool TakeFailureNumber(std::string_view& line) {
  if (!absl::StartsWith(line, "failure ")) return false;
  const size_t colon = line.find(": ");
  if (colon == std::string_view::npos) return false;
  line.remove_prefix(colon + 2);
  return true;
}

// The frame with its C++ name as the program's text has it: the library prints
// names as the linker knows them.
std::string WithReadableName(const std::string& frame) {
  const size_t begin = frame.find(" _Z");
  if (begin == std::string::npos) return frame;
  const size_t end =
      std::min(frame.find_first_of(" +", begin + 1), frame.size());
  const std::string name = frame.substr(begin + 1, end - begin - 1);
  int status = 0;
  char* const text =
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  if (text == nullptr) return frame;
  std::string readable =
      absl::StrCat(frame.substr(0, begin + 1), text, frame.substr(end));
  std::free(text);
  return readable;
}

std::string Times(uint64_t count, std::string_view one, std::string_view many) {
  return count == 1 ? absl::StrCat("1 ", one) : absl::StrCat(count, " ", many);
}

void AddLine(std::string& text, std::string_view line) {
  absl::StrAppend(&text, kPrefix, line, "\n");
}

std::string HowItEnded(const ProcessResult& ending) {
  if (ending.ending == ProcessResult::kSignaled) {
    return absl::StrCat("was ended by signal ", ending.code, " (",
                        strsignal(ending.code), ")");
  }
  return absl::StrCat("exited with status ", ending.code);
}

void AddProcesses(std::vector<ProcessFigures> processes, std::string& text) {
  if (processes.empty()) {
    AddLine(text,
            "the command printed no statistics: it may be statically linked, "
            "privileged, or have ended by _exit or a signal");
    return;
  }
  std::stable_sort(processes.begin(), processes.end(),
                   [](const ProcessFigures& a, const ProcessFigures& b) {
                     return a.peak_resident > b.peak_resident;
                   });
  const size_t shown = std::min(processes.size(), kMostProcesses);
  using enum Table::Align;
  Table table({"process", "program", "peak resident", "live", "cached",
               "committed", "refused"},
              {kRight, kLeft, kRight});
  for (size_t i = 0; i < shown; ++i) {
    const ProcessFigures& p = processes[i];
    table.AddRow({absl::StrCat(p.pid), p.program, HumanBytes(p.peak_resident),
                  HumanBytes(p.live), HumanBytes(p.cached),
                  HumanBytes(p.committed), absl::StrCat(p.failures)});
  }
  for (const std::string_view line :
       absl::StrSplit(table.Render(), '\n', absl::SkipEmpty())) {
    AddLine(text, line);
  }
  if (shown < processes.size()) {
    AddLine(text, absl::StrCat("and ", processes.size() - shown,
                               " processes that held less"));
  }
  AddLine(text,
          "live: in the program's blocks; cached: in free ones at hand; "
          "committed: memory under both; all at the end");
}

void AddFailures(const FailureList& failures, std::string& text) {
  uint64_t count = failures.not_told;
  for (const FailureKind& kind : failures.kinds) count += kind.count;
  if (count == 0) return;
  AddLine(text, absl::StrCat(Times(count, "request was", "requests were"),
                             " refused; each reason once, the newest last:"));
  const size_t hidden = failures.kinds.size() > kMostKinds
                            ? failures.kinds.size() - kMostKinds
                            : 0;
  if (hidden != 0) {
    AddLine(text,
            absl::StrCat("  ", Times(hidden, "older reason", "older reasons"),
                         " left out"));
  }
  for (size_t i = hidden; i < failures.kinds.size(); ++i) {
    const FailureKind& kind = failures.kinds[i];
    AddLine(text, absl::StrCat("  ", kind.count, " x ", kind.text));
    for (const std::string& frame : kind.stack) {
      AddLine(text, absl::StrCat("      ", WithReadableName(frame)));
    }
  }
  if (failures.not_told != 0) {
    AddLine(text, absl::StrCat(
                      "  ", failures.not_told,
                      " more, of which nothing was noted (10 a second are)"));
  }
}

}  // namespace

std::vector<ProcessFigures> ParseFigures(std::string_view lines) {
  std::vector<ProcessFigures> processes;
  for (std::string_view line : absl::StrSplit(lines, '\n')) {
    TakePrefix(line);
    if (!absl::StartsWith(line, "{") || !absl::EndsWith(line, "}")) continue;
    ProcessFigures p;
    p.pid = JsonNumber(line, "pid");
    p.program = std::string(JsonField(line, "program"));
    p.peak_resident = JsonNumber(line, "peak_resident_bytes");
    p.live = JsonNumber(line, "live_bytes");
    p.cached = JsonNumber(line, "cached_bytes");
    p.committed = JsonNumber(line, "committed_bytes");
    p.failures = JsonNumber(line, "failures_threshold") +
                 JsonNumber(line, "failures_exhaustion") +
                 JsonNumber(line, "failures_mapfail");
    processes.push_back(p);
  }
  return processes;
}

FailureList ParseFailures(std::string_view lines) {
  FailureList list;
  for (std::string_view line : absl::StrSplit(lines, '\n')) {
    TakePrefix(line);
    list.not_told += TakeNotTold(line);
    if (line.empty()) continue;
    if (!TakeFailureNumber(line)) {
      // A frame of the stack of the failure before it.
      if (!list.kinds.empty()) {
        list.kinds.back().stack.emplace_back(absl::StripAsciiWhitespace(line));
      }
      continue;
    }
    const auto known = std::find_if(
        list.kinds.begin(), list.kinds.end(),
        [&](const FailureKind& kind) { return kind.text == line; });
    FailureKind newest{std::string(line), 1, {}};
    if (known != list.kinds.end()) {
      newest.count += known->count;
      list.kinds.erase(known);
    }
    list.kinds.push_back(newest);
  }
  return list;
}

std::string Summarize(const CommandRun& run, bool stats_wanted) {
  std::string text;
  const bool failed = !run.failures.kinds.empty() || run.failures.not_told != 0;
  const bool signaled = run.ending.ending == ProcessResult::kSignaled;
  if (!stats_wanted && !failed && !signaled) return text;
  const std::chrono::duration<double> time = run.ending.wall_time;
  AddLine(text,
          absl::StrFormat("%s %s after %.2f s on %s", run.command,
                          HowItEnded(run.ending), time.count(), run.library));
  if (stats_wanted) AddProcesses(run.processes, text);
  AddFailures(run.failures, text);
  return text;
}

}  // namespace hakmem::tools
