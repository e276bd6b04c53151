// What the criteria of the suites quick and full are made with
// (bench_criteria.h), by subject.
#ifndef HAKMEM_BENCHMARKS_BENCH_JUDGE_H_
#define HAKMEM_BENCHMARKS_BENCH_JUDGE_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/analysis/standings.h"
#include "benchmarks/criteria.h"

namespace hakmem::bench {

class BenchJudge {
 public:
  // Both must outlive this.
  BenchJudge(const Standings& standings, Judgement& judgement)
      : standings_(standings), judgement_(judgement) {}

  const Standings& standings() const { return standings_; }
  const Results& results() const { return standings_.results(); }

  // As Judgement::Add.
  void Add(std::string asked, int digits, Bound bound, double limit,
           const Judgement::Measure& measure);

  // Index of the case, unless it was not to be run or cannot be.
  std::optional<size_t> Find(const std::string& workload) const;

  // How many cases `is_bad` finds; a failure is bad. Nothing when no case says
  // anything.
  std::optional<double> Count(
      const std::vector<size_t>& cases, size_t who,
      const std::function<std::optional<bool>(size_t a_case)>& is_bad) const;

  // Whether a contender's median is more than `factor` times the fastest
  // peer's, and its interval above that one's.
  std::optional<bool> IsSlower(size_t a_case, size_t who, double factor) const;

  // Of times or of peak RSS; nothing unless both were measured.
  std::optional<double> TimeOverGlibc(size_t a_case, size_t who) const;
  std::optional<double> MeanPeakOverGlibc(const std::vector<size_t>& cases,
                                          size_t who) const;

 private:
  const Standings& standings_;
  Judgement& judgement_;
};

// Cost in random-mixed, means over kinds, and the workloads one by one.
void AskOfWorkloads(BenchJudge& judge);
// Programs, and what it costs to start one.
void AskOfPrograms(BenchJudge& judge);
// How cost grows with threads, and what stays resident.
void AskOfGrowth(BenchJudge& judge);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_BENCH_JUDGE_H_
