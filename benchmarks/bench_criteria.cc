#include "benchmarks/bench_criteria.h"

#include <utility>

#include "benchmarks/analysis/statistics.h"
#include "benchmarks/bench_judge.h"

namespace hakmem::bench {

void BenchJudge::Add(std::string asked, int digits, Bound bound, double limit,
                     const Judgement::Measure& measure) {
  judgement_.Add(std::move(asked), /*threads=*/0, digits, bound, limit,
                 measure);
}

std::optional<size_t> BenchJudge::Find(const std::string& workload) const {
  const auto a_case = results().FindCase(workload);
  if (!a_case.has_value() || !results().absence(*a_case).empty()) {
    return std::nullopt;
  }
  return a_case;
}

std::optional<double> BenchJudge::Count(
    const std::vector<size_t>& cases, size_t who,
    const std::function<std::optional<bool>(size_t a_case)>& is_bad) const {
  std::optional<double> count;
  for (const size_t c : cases) {
    const std::optional<bool> bad =
        results().failure(who, c).empty() ? is_bad(c) : true;
    if (bad.has_value()) count = count.value_or(0) + (*bad ? 1 : 0);
  }
  return count;
}

std::optional<bool> BenchJudge::IsSlower(size_t a_case, size_t who,
                                         double factor) const {
  const auto best = standings_.FastestPeer(a_case);
  if (!best.has_value()) return std::nullopt;
  const auto ratio = standings_.TimeRatio(a_case, who, *best);
  if (!ratio.has_value()) return std::nullopt;
  const Comparison& comparison = standings_.comparison(a_case);
  return *ratio > factor &&
         IsAbove(comparison.summary(who)->ns, comparison.summary(*best)->ns);
}

std::optional<double> BenchJudge::TimeOverGlibc(size_t a_case,
                                                size_t who) const {
  const auto glibc = results().FindContender("glibc");
  if (!glibc.has_value()) return std::nullopt;
  return standings_.TimeRatio(a_case, who, *glibc);
}

std::optional<double> BenchJudge::MeanPeakOverGlibc(
    const std::vector<size_t>& cases, size_t who) const {
  const auto glibc = results().FindContender("glibc");
  if (!glibc.has_value()) return std::nullopt;
  return standings_.MeanPeakRatio(cases, who, *glibc);
}

Judgement JudgeBench(const Standings& standings) {
  Judgement judgement(BackEnds(standings.results()));
  BenchJudge judge(standings, judgement);
  AskOfWorkloads(judge);
  AskOfPrograms(judge);
  AskOfGrowth(judge);
  return judgement;
}

}  // namespace hakmem::bench
