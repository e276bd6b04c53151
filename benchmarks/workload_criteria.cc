// What is asked of workloads (bench_judge.h).
#include <algorithm>

#include "absl/strings/str_format.h"
#include "benchmarks/bench_judge.h"
#include "benchmarks/harness/bench_cases.h"

namespace hakmem::bench {
namespace {

constexpr uint64_t kFew = 256;
constexpr uint64_t kMany = 8192;

constexpr double kMaxAboveFloor = 0.6;  // of the best peer's
constexpr double kMaxDegradation = 1.15;
constexpr double kMaxSmallAndThreads = 0.85;  // of the best single peer's time
constexpr double kMaxLarge = 0.8;
constexpr double kMaxTime = 1.05;  // of the fastest peer's
constexpr double kMaxPeak = 1.10;  // of the leanest peer's

void AskAboveFloor(BenchJudge& judge, uint64_t slots) {
  const auto a_case = judge.Find(RandomMixedName(slots));
  if (!a_case.has_value()) return;
  const Results& results = judge.results();
  const Comparison& comparison = judge.standings().comparison(*a_case);
  std::optional<double> best;
  for (size_t who = 0; who < results.contenders().size(); ++who) {
    if (results.contenders()[who].kind == Contender::kVariant) continue;
    const auto above = comparison.AboveFloor(who);
    if (above.has_value()) best = std::min(best.value_or(*above), *above);
  }
  judge.Add(
      absl::StrFormat("random-mixed at %d slots: cost above the floor over the "
                      "best peer's: at most %.2f",
                      slots, kMaxAboveFloor),
      3, Bound::kAtMost, kMaxAboveFloor,
      [&](size_t who) -> std::optional<double> {
        const auto above = comparison.AboveFloor(who);
        if (!above.has_value() || !best.has_value() || *best <= 0) {
          return std::nullopt;
        }
        return *above / *best;
      });
}

void AskDegradation(BenchJudge& judge) {
  if (!judge.Find(RandomMixedName(kFew)) ||
      !judge.Find(RandomMixedName(kMany))) {
    return;
  }
  judge.Add(absl::StrFormat("random-mixed: throughput lost from %d to %d "
                            "slots: at most %.2f x",
                            kFew, kMany, kMaxDegradation),
            3, Bound::kAtMost, kMaxDegradation, [&](size_t who) {
              return Degradation(judge.results(), who, kFew, kMany, 1);
            });
}

void AskMean(BenchJudge& judge, const std::vector<std::string>& kinds,
             const std::string& name, double limit) {
  const std::vector<size_t> cases = judge.standings().CasesOf(kinds);
  if (cases.empty()) return;
  const auto best = judge.standings().BestSinglePeer(cases);
  judge.Add(absl::StrFormat("%s: time over that of the best single peer (%s), "
                            "geometric mean: at most %.2f",
                            name,
                            best.has_value()
                                ? judge.results().contenders()[*best].name
                                : "none here",
                            limit),
            3, Bound::kAtMost, limit, [&](size_t who) -> std::optional<double> {
              if (!best.has_value()) return std::nullopt;
              return judge.standings().MeanTimeRatio(cases, who, *best);
            });
}

void AskOneByOne(BenchJudge& judge) {
  // All but programs, which are asked of apart, and what has no time.
  std::vector<size_t> cases =
      judge.standings().CasesOf({kSmall, kThreads, kMemory, kLarge, kStart});
  std::erase_if(cases,
                [&](size_t c) { return !judge.results().cases()[c].timed; });
  if (cases.empty()) return;
  judge.Add(absl::StrFormat("workloads slower than %.2f times the fastest "
                            "peer, intervals apart: none of %d",
                            kMaxTime, cases.size()),
            0, Bound::kAtMost, 0, [&](size_t who) {
              return judge.Count(cases, who, [&](size_t c) {
                return judge.IsSlower(c, who, kMaxTime);
              });
            });
  judge.Add(
      absl::StrFormat("workloads with peak RSS above %.2f times the leanest "
                      "peer's: none of %d",
                      kMaxPeak, cases.size()),
      0, Bound::kAtMost, 0, [&](size_t who) {
        return judge.Count(cases, who, [&](size_t c) -> std::optional<bool> {
          const auto ratio =
              judge.standings().comparison(c).PeakAgainstLeanestPeer(who);
          if (!ratio.has_value()) return std::nullopt;
          return *ratio > kMaxPeak;
        });
      });
}

}  // namespace

void AskOfWorkloads(BenchJudge& judge) {
  AskAboveFloor(judge, kFew);
  AskAboveFloor(judge, kMany);
  AskDegradation(judge);
  AskMean(judge, {kSmall, kThreads}, "small and threads", kMaxSmallAndThreads);
  AskMean(judge, {kLarge}, "large", kMaxLarge);
  AskOneByOne(judge);
}

}  // namespace hakmem::bench
