#include "tools/hakmem/hakmem_summary.h"

#include <cxxabi.h>
#include <string.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"
#include "tools/text/human_bytes.h"
#include "tools/text/table.h"

namespace hakmem::tools {
namespace {

// A summary that is longer than a screen is not read.
constexpr size_t kMostProcesses = 10;
constexpr size_t kMostKinds = 20;

constexpr std::string_view kPrefix = "hakmem: ";

// The JSON object that `line` is; another line, also one that was cut off when
// its process ended, is none and gives an empty one.
nlohmann::json ObjectIn(std::string_view line) {
  nlohmann::json object = nlohmann::json::parse(line, nullptr,
                                                /*allow_exceptions=*/false);
  return object.is_object() ? object : nlohmann::json::object();
}

// Fields that are absent, or of another type than the caller's, are
// `otherwise`.
template <typename T>
T FieldOf(const nlohmann::json& object, const char* name, T otherwise = {}) {
  const auto field = object.find(name);
  if (field == object.end()) return otherwise;
  const bool is_right = std::is_same_v<T, std::string>
                            ? field->is_string()
                            : field->is_number_unsigned();
  return is_right ? field->get<T>() : otherwise;
}

uint64_t NumberOf(const nlohmann::json& object, const char* name) {
  return FieldOf<uint64_t>(object, name);
}

std::string TextOf(const nlohmann::json& object, const char* name) {
  return FieldOf<std::string>(object, name);
}

// The name as the program's text has it: the library gives names as the linker
// knows them.
std::string ReadableName(const std::string& name) {
  int status = 0;
  char* const text =
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  if (text == nullptr) return name;
  std::string readable = text;
  std::free(text);
  return readable;
}

// "#0 0x55d0 /usr/bin/a+0x11f7 main+0x27", as far as it is known.
std::string FrameText(const nlohmann::json& frame) {
  std::string text = absl::StrCat("#", NumberOf(frame, "frame"), " ",
                                  TextOf(frame, "address"));
  if (frame.contains("module")) {
    absl::StrAppend(&text, " ", TextOf(frame, "module"), "+",
                    TextOf(frame, "module_offset"));
  }
  if (frame.contains("name")) {
    absl::StrAppend(&text, " ", ReadableName(TextOf(frame, "name")), "+",
                    TextOf(frame, "name_offset"));
  }
  return text;
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
  bool any_unknown = false;
  for (size_t i = 0; i < shown; ++i) {
    const ProcessFigures& p = processes[i];
    any_unknown |= !p.has_figures;
    const auto bytes = [&](uint64_t value) {
      return p.has_figures || value != 0 ? HumanBytes(value) : "-";
    };
    table.AddRow({absl::StrCat(p.pid), p.program, bytes(p.peak_resident),
                  bytes(p.live), bytes(p.cached), bytes(p.committed),
                  p.has_figures ? absl::StrCat(p.failures) : "-"});
  }
  for (const std::string_view line :
       absl::StrSplit(table.Render(), '\n', absl::SkipEmpty())) {
    AddLine(text, line);
  }
  if (shown < processes.size()) {
    AddLine(text, absl::StrCat("and ", processes.size() - shown,
                               " more processes"));
  }
  AddLine(text,
          "live: in the program's blocks; cached: in free ones at hand; "
          "committed: memory under both; all at the end");
  if (any_unknown) {
    AddLine(text,
            "-: it ended by _exit or a signal, or went on as a program without "
            "HAKMEM");
  }
}

void AddFailures(const FailureList& failures, std::string& text) {
  uint64_t count = failures.dropped;
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
      AddLine(text, absl::StrCat("      ", frame));
    }
  }
  if (failures.dropped != 0) {
    AddLine(text, absl::StrCat(
                      "  ", failures.dropped,
                      " more, of which nothing was logged (10 a second are)"));
  }
}

}  // namespace

std::vector<ProcessFigures> ParseFigures(std::string_view lines) {
  std::vector<ProcessFigures> processes;
  for (const std::string_view line : absl::StrSplit(lines, '\n')) {
    const nlohmann::json object = ObjectIn(line);
    if (object.empty()) continue;
    // The line of its end follows that of its begin, or of several if it went
    // on as other programs.
    const auto begun = std::find_if(
        processes.begin(), processes.end(), [&](const ProcessFigures& p) {
          return !p.has_figures && p.pid == NumberOf(object, "pid");
        });
    if (begun != processes.end()) processes.erase(begun);
    processes.push_back({
        .pid = NumberOf(object, "pid"),
        .program = TextOf(object, "program"),
        .peak_resident = NumberOf(object, "peak_resident_bytes"),
        .live = NumberOf(object, "live_bytes"),
        .cached = NumberOf(object, "cached_bytes"),
        .committed = NumberOf(object, "committed_bytes"),
        .failures = NumberOf(object, "failures_threshold") +
                    NumberOf(object, "failures_exhaustion") +
                    NumberOf(object, "failures_mapfail"),
        .has_figures = !object.contains("begins"),
    });
  }
  return processes;
}

FailureList ParseFailures(std::string_view lines) {
  FailureList list;
  // Which failure is the newest of each kind: whose stack it shows. Frames
  // follow their failure, but those of several processes may be mixed.
  using Number = std::pair<uint64_t, uint64_t>;  // process, sequence
  std::map<std::string, Number> newest;
  for (const std::string_view line : absl::StrSplit(lines, '\n')) {
    const nlohmann::json object = ObjectIn(line);
    const std::string kind = TextOf(object, "kind");
    const Number number = {NumberOf(object, "pid"),
                           NumberOf(object, "sequence")};
    list.dropped += NumberOf(object, "dropped");
    if (kind == "frame") {
      for (FailureKind& failure : list.kinds) {
        if (newest[failure.text] == number) {
          failure.stack.push_back(FrameText(object));
        }
      }
    } else if (kind == "failure") {
      FailureKind failure{TextOf(object, "text"), 1, {}};
      newest[failure.text] = number;
      const auto known = std::find_if(
          list.kinds.begin(), list.kinds.end(),
          [&](const FailureKind& k) { return k.text == failure.text; });
      if (known != list.kinds.end()) {
        failure.count += known->count;
        list.kinds.erase(known);
      }
      list.kinds.push_back(failure);
    }
  }
  return list;
}

std::string Summarize(const CommandRun& run, bool stats_wanted) {
  std::string text;
  const bool failed = !run.failures.kinds.empty() || run.failures.dropped != 0;
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
