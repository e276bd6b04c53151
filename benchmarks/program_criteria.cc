// What is asked of programs (bench_judge.h).
#include <algorithm>

#include "absl/strings/str_format.h"
#include "benchmarks/bench_judge.h"
#include "benchmarks/harness/bench_cases.h"

namespace hakmem::bench {
namespace {

constexpr double kMaxPeakOfPeers = 1;  // exclusive
constexpr double kMaxPeakOfGlibc = 1.02;
constexpr double kMaxIdleMoreMib = 0.4;    // than glibc
constexpr double kMaxStartOfGlibc = 1.03;  // time

void AskPrograms(BenchJudge& judge) {
  const std::vector<size_t> cases = judge.standings().CasesOf({kPrograms});
  if (cases.empty()) return;
  judge.Add(
      absl::StrFormat("programs slower than the best peer, intervals apart: "
                      "none of %d",
                      cases.size()),
      0, Bound::kAtMost, 0, [&](size_t who) {
        return judge.Count(cases, who,
                           [&](size_t c) { return judge.IsSlower(c, who, 1); });
      });
  judge.Add(
      "programs: peak RSS over that of each peer but glibc, geometric "
      "mean, the highest: below 1",
      3, Bound::kBelow, kMaxPeakOfPeers, [&](size_t who) {
        const std::vector<Contender>& all = judge.results().contenders();
        std::optional<double> highest;
        for (size_t peer = 0; peer < all.size(); ++peer) {
          if (all[peer].kind != Contender::kPeer) continue;
          const auto ratio = judge.standings().MeanPeakRatio(cases, who, peer);
          if (!ratio.has_value()) continue;
          highest = std::max(highest.value_or(0), *ratio);
        }
        return highest;
      });
  judge.Add(absl::StrFormat(
                "programs: peak RSS over glibc's, geometric mean: at most %.2f",
                kMaxPeakOfGlibc),
            3, Bound::kAtMost, kMaxPeakOfGlibc,
            [&](size_t who) { return judge.MeanPeakOverGlibc(cases, who); });
}

// Resident memory of the idle process; nothing when it was not measured.
std::optional<double> IdleMib(const Comparison& comparison, size_t who) {
  const auto& summary = comparison.summary(who);
  if (!summary.has_value()) return std::nullopt;
  return summary->resident_after_kib.value_or(summary->peak_rss_kib.median) /
         1024;
}

void AskIdle(BenchJudge& judge) {
  const auto a_case = judge.Find("idle");
  if (!a_case.has_value()) return;
  const Comparison& comparison = judge.standings().comparison(*a_case);
  const auto glibc = judge.results().FindContender("glibc");
  judge.Add(absl::StrFormat("idle: resident beyond glibc's: at most %.1f MiB",
                            kMaxIdleMoreMib),
            2, Bound::kAtMost, kMaxIdleMoreMib,
            [&](size_t who) -> std::optional<double> {
              if (!glibc.has_value()) return std::nullopt;
              const auto mine = IdleMib(comparison, who);
              const auto its = IdleMib(comparison, *glibc);
              if (!mine.has_value() || !its.has_value()) return std::nullopt;
              return *mine - *its;
            });
}

void AskStart(BenchJudge& judge) {
  const auto a_case = judge.Find("start-true");
  if (!a_case.has_value()) return;
  judge.Add(absl::StrFormat("start-true: time over glibc's: at most %.2f",
                            kMaxStartOfGlibc),
            3, Bound::kAtMost, kMaxStartOfGlibc,
            [&](size_t who) { return judge.TimeOverGlibc(*a_case, who); });
}

}  // namespace

void AskOfPrograms(BenchJudge& judge) {
  AskPrograms(judge);
  AskIdle(judge);
  AskStart(judge);
}

}  // namespace hakmem::bench
