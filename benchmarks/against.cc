#include "benchmarks/against.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/analysis/statistics.h"
#include "benchmarks/report/table.h"

namespace hakmem::bench {
namespace {

constexpr double kNoise = 1.03;

// Adds what changed in one figure.
void Compare(const Change& change, const Spread& former, const Spread& now,
             Changes& changes) {
  ++changes.compared;
  if (!(former.median > 0) || !(now.median > 0)) return;
  Change found = change;
  found.ratio = now.median / former.median;
  if (found.ratio > kNoise && IsAbove(now, former)) {
    changes.worse.push_back(std::move(found));
  } else if (found.ratio < 1 / kNoise && IsAbove(former, now)) {
    changes.better.push_back(std::move(found));
  }
}

// One of HAKMEM's variants in one workload, by its indexes then and now.
struct Pair {
  size_t former_case;
  size_t former_who;
  size_t a_case;
  size_t who;
};

void CompareOne(const Results& former, const Results& now, const Pair& pair,
                Changes& changes) {
  const Case& where = now.cases()[pair.a_case];
  Change change = {where.Name(), now.contenders()[pair.who].name, "", 0};
  if (!now.failure(pair.who, pair.a_case).empty()) {
    // What failed then as well has not become worse.
    if (!former.failure(pair.former_who, pair.former_case).empty()) return;
    change.what = "fails";
    changes.worse.push_back(std::move(change));
    return;
  }
  const auto then = former.Summarize(pair.former_who, pair.former_case);
  const auto today = now.Summarize(pair.who, pair.a_case);
  if (!then.has_value() || !today.has_value()) return;
  if (where.timed) {
    change.what = "time";
    Compare(change, then->ns, today->ns, changes);
  }
  change.what = "peak RSS";
  Compare(change, then->peak_rss_kib, today->peak_rss_kib, changes);
}

std::string ListText(const std::string& title,
                     const std::vector<Change>& changes) {
  if (changes.empty()) return "";
  Table table({title, "allocator", "what", "now over then"});
  for (const Change& change : changes) {
    table.AddRow(
        {change.workload, change.allocator, change.what,
         change.ratio == 0 ? "-" : absl::StrFormat("%.3f", change.ratio)});
  }
  return "\n" + table.Render();
}

std::string Machine(const RunInfo& info) {
  std::string text;
  for (const auto& [label, value] : info.machine) {
    if (label == "cpu" || label == "cores") {
      absl::StrAppend(&text, text.empty() ? "" : ", ", label, " ", value);
    }
  }
  return text;
}

}  // namespace

Changes ChangesSince(const Results& former, const Results& now) {
  Changes changes;
  for (size_t c = 0; c < now.cases().size(); ++c) {
    const auto former_case = former.FindCase(now.cases()[c].workload);
    if (!former_case.has_value()) continue;
    for (size_t who = 0; who < now.contenders().size(); ++who) {
      const Contender& contender = now.contenders()[who];
      const auto former_who = former.FindContender(contender.name);
      if (contender.kind != Contender::kVariant || !former_who.has_value()) {
        continue;
      }
      CompareOne(former, now, {*former_case, *former_who, c, who}, changes);
    }
  }
  std::stable_sort(changes.worse.begin(), changes.worse.end(),
                   [](const Change& left, const Change& right) {
                     if (left.ratio == 0 || right.ratio == 0) {
                       return left.ratio == 0 && right.ratio != 0;
                     }
                     return left.ratio > right.ratio;
                   });
  std::stable_sort(changes.better.begin(), changes.better.end(),
                   [](const Change& left, const Change& right) {
                     return left.ratio < right.ratio;
                   });
  return changes;
}

absl::Status CheckComparable(const RunInfo& former, const std::string& suite,
                             uint64_t effort) {
  if (former.suite != suite) {
    return absl::InvalidArgumentError(
        absl::StrCat("it is of the suite ", former.suite, ", not ", suite));
  }
  if (former.effort != effort) {
    return absl::InvalidArgumentError(absl::StrCat(
        "it was made with --effort=", former.effort, ", not ", effort));
  }
  return absl::OkStatus();
}

std::string ChangesText(const Changes& changes, const RunInfo& former,
                        const RunInfo& now) {
  std::string text = absl::StrFormat(
      "\nAgainst the former result: of %d medians of HAKMEM's %d worse and %d "
      "better, beyond the noise\n(intervals apart and more than 3 %%)\n",
      changes.compared, changes.worse.size(), changes.better.size());
  if (Machine(former) != Machine(now)) {
    absl::StrAppend(&text, "It is from another machine: ", Machine(former),
                    "\n");
  }
  return absl::StrCat(text, ListText("REGRESSION", changes.worse),
                      ListText("gain", changes.better));
}

}  // namespace hakmem::bench
