#include "benchmarks/analysis/headline.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/harness/metrics.h"

namespace hakmem::bench {
namespace {

// Within it, two figures are about the same.
constexpr double kSame = 0.02;

// "11 % less time", "about as much time".
std::string Amount(double ratio, const char* what) {
  if (std::abs(ratio - 1) < kSame) return absl::StrCat("about as much ", what);
  if (ratio >= 2) return absl::StrFormat("%.1f times the %s", ratio, what);
  return absl::StrFormat("%.0f %% %s %s", std::abs(ratio - 1) * 100,
                         ratio < 1 ? "less" : "more", what);
}

std::string Amounts(const Bar& bar) {
  std::string text;
  if (bar.time.has_value()) text = Amount(*bar.time, "time");
  if (!bar.memory.has_value()) return text;
  return absl::StrCat(text, text.empty() ? "" : " and ",
                      Amount(*bar.memory, "memory"));
}

Bar Standing(const Ranking& ranking, size_t who, size_t versus) {
  const std::vector<size_t> cases = ranking.CasesOf({});
  return {who, ranking.Mean(cases, kTime, who, versus),
          ranking.Mean(cases, kPeak, who, versus)};
}

std::string Verdict(const Bar& standing) {
  const double time = standing.time.value_or(1);
  const double memory = standing.memory.value_or(1);
  if (time < 1 - kSame && memory < 1 + kSame) return "Yes: ";
  if (time < 1 - kSame) return "For speed, yes: ";
  if (time < 1 + kSame && memory < 1 - kSame) return "For memory, yes: ";
  if (time < 1 + kSame && memory < 1 + kSame) return "It hardly matters: ";
  return memory < 1 - kSame ? "For memory only: " : "No: ";
}

std::string Sentence(const Ranking& ranking, const Headline& headline) {
  const std::vector<Allocator>& all = ranking.measurements().allocators;
  const size_t workloads = ranking.CasesOf({}).size();
  const Allocator& versus = all[headline.versus];
  std::string text = absl::StrCat(
      Verdict(headline.standing), all[headline.allocator].title, " takes ",
      Amounts(headline.standing), " compared with ", versus.title,
      versus.is_system ? ", the system's own"
                       : ", the fastest of the other allocators here",
      ", over ", workloads, workloads == 1 ? " workload" : " workloads");
  for (const Bar& bar : headline.bars) {
    if (!all[bar.allocator].is_system || bar.allocator == headline.versus) {
      continue;
    }
    const std::string against_system =
        Amounts(Standing(ranking, headline.allocator, bar.allocator));
    if (!against_system.empty()) {
      absl::StrAppend(&text, "; ", against_system, " compared with ",
                      all[bar.allocator].title);
    }
  }
  return text + ".";
}

}  // namespace

std::optional<Headline> MakeHeadline(const Ranking& ranking) {
  const std::optional<size_t> versus =
      ranking.BestSinglePeer(ranking.CasesOf({}));
  if (!versus.has_value()) return std::nullopt;
  std::optional<Headline> headline;
  for (const size_t who : ranking.judged()) {
    const Bar standing = Standing(ranking, who, *versus);
    if (!standing.time.has_value()) continue;
    if (!headline.has_value() || *standing.time < *headline->standing.time) {
      headline = Headline{who, *versus, standing, {}, ""};
    }
  }
  if (!headline.has_value()) return std::nullopt;
  const std::vector<Allocator>& all = ranking.measurements().allocators;
  for (const Allocator::Role role : {Allocator::kOurs, Allocator::kPeer}) {
    for (size_t who = 0; who < all.size(); ++who) {
      // Other variants of HAKMEM take part in some workloads only.
      if (all[who].role != role ||
          (role == Allocator::kOurs && !all[who].is_default_variant())) {
        continue;
      }
      const Bar bar = Standing(ranking, who, *versus);
      if (bar.time.has_value() || bar.memory.has_value()) {
        headline->bars.push_back(bar);
      }
    }
  }
  headline->sentence = Sentence(ranking, *headline);
  return headline;
}

}  // namespace hakmem::bench
