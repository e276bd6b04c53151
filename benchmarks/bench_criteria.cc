#include "benchmarks/bench_criteria.h"

#include <algorithm>
#include <functional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/bench_cases.h"
#include "benchmarks/statistics.h"

namespace hakmem::bench {
namespace {

constexpr uint64_t kFew = 256;
constexpr uint64_t kMany = 8192;
constexpr uint64_t kManyThreads = 64;

constexpr double kMaxAboveFloor = 0.6;  // of the best peer's
constexpr double kMaxDegradation = 1.15;
constexpr double kMaxSmallAndThreads = 0.85;
constexpr double kMaxLarge = 0.8;
constexpr double kMaxTime = 1.05;
constexpr double kMaxPeak = 1.10;
constexpr double kMaxPeakOfGlibc = 1.02;  // over the programs
constexpr double kMaxIdleMib = 0.4;       // more than glibc
constexpr double kMaxStart = 1.03;        // of glibc's time
constexpr double kMaxGrowth = 1.3;        // of cost, from 1 to 64 threads
constexpr double kMaxResident = 1.05;     // of that before

class Judge {
 public:
  Judge(const Standings& standings, Judgement& judgement)
      : standings_(standings),
        results_(standings.results()),
        judgement_(judgement),
        glibc_(results_.FindContender("glibc")) {}

  void AddAll() {
    AddAboveFloor(kFew);
    AddAboveFloor(kMany);
    AddDegradation();
    AddMean({kSmall, kThreads}, kMaxSmallAndThreads);
    AddMean({kLarge}, kMaxLarge);
    AddSlower();
    AddFatter();
    AddPrograms();
    AddIdle();
    AddStart();
    AddThreads();
    AddResident("asymmetric");
    for (const Case& a_case : results_.cases()) {
      if (absl::StartsWith(a_case.workload, "grow-")) {
        AddResident(a_case.workload);
      }
    }
  }

 private:
  void Add(std::string asked, int digits, Bound bound,
           std::optional<double> limit, const Judgement::Measure& measure) {
    judgement_.Add(std::move(asked), /*threads=*/0, digits, bound, limit,
                   measure);
  }

  // Index of the case, unless it was not to be run or cannot be.
  std::optional<size_t> Find(const std::string& workload) const {
    const auto a_case = results_.FindCase(workload);
    if (!a_case.has_value() || !results_.absence(*a_case).empty()) {
      return std::nullopt;
    }
    return a_case;
  }

  const std::optional<Summary>& Of(size_t a_case, size_t who) const {
    return standings_.comparison(a_case).summary(who);
  }

  void AddAboveFloor(uint64_t slots) {
    const auto a_case = Find(RandomMixedName(slots));
    if (!a_case.has_value()) return;
    const Comparison& comparison = standings_.comparison(*a_case);
    std::optional<double> best;
    for (size_t who = 0; who < results_.contenders().size(); ++who) {
      if (results_.contenders()[who].kind == Contender::kVariant) continue;
      const auto above = comparison.AboveFloor(who);
      if (above.has_value() && (!best.has_value() || *above < *best)) {
        best = above;
      }
    }
    Add(absl::StrFormat(
            "random-mixed at %d slots: cost above the floor over the best "
            "peer's: at most %.2f",
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

  void AddDegradation() {
    if (!Find(RandomMixedName(kFew)) || !Find(RandomMixedName(kMany))) return;
    Add(absl::StrFormat("throughput lost from %d to %d slots: at most %.2f x",
                        kFew, kMany, kMaxDegradation),
        3, Bound::kAtMost, kMaxDegradation,
        [&](size_t who) { return Degradation(results_, who, kFew, kMany, 1); });
  }

  void AddMean(const std::vector<std::string>& kinds, double limit) {
    const std::vector<size_t> cases = standings_.CasesOf(kinds);
    if (cases.empty()) return;
    const auto best = standings_.BestSinglePeer(cases);
    std::string names = kinds[0];
    for (size_t i = 1; i < kinds.size(); ++i) names += " and " + kinds[i];
    Add(absl::StrFormat(
            "%s: time over that of the best single peer (%s), "
            "geometric mean: at most %.2f",
            names,
            best.has_value() ? results_.contenders()[*best].name : "none here",
            limit),
        3, Bound::kAtMost, limit, [&](size_t who) -> std::optional<double> {
          if (!best.has_value()) return std::nullopt;
          return standings_.MeanTimeRatio(cases, who, *best);
        });
  }

  // How many cases `is_bad` finds; a failure is bad. Nothing when no case says
  // anything.
  std::optional<double> Count(
      const std::vector<size_t>& cases, size_t who,
      const std::function<std::optional<bool>(size_t a_case)>& is_bad) const {
    std::optional<double> count;
    for (const size_t c : cases) {
      const std::optional<bool> bad =
          results_.failure(who, c).empty() ? is_bad(c) : true;
      if (bad.has_value()) count = count.value_or(0) + *bad;
    }
    return count;
  }

  // All but programs, which are judged apart, and what time does not matter in.
  std::vector<size_t> JudgedOneByOne() const {
    std::vector<size_t> cases =
        standings_.CasesOf({kSmall, kThreads, kMemory, kLarge, kStart});
    std::erase_if(cases, [&](size_t c) { return !results_.cases()[c].timed; });
    return cases;
  }

  // Whether a contender's median is more than `factor` times the fastest
  // peer's, and its interval above that one's.
  std::optional<bool> IsSlower(size_t a_case, size_t who, double factor) const {
    const auto best = standings_.FastestPeer(a_case);
    if (!best.has_value()) return std::nullopt;
    const auto ratio = standings_.TimeRatio(a_case, who, *best);
    if (!ratio.has_value()) return std::nullopt;
    return *ratio > factor &&
           IsAbove(Of(a_case, who)->ns, Of(a_case, *best)->ns);
  }

  void AddSlower() {
    const std::vector<size_t> cases = JudgedOneByOne();
    if (cases.empty()) return;
    Add(absl::StrFormat("workloads slower than %.2f times the fastest peer, "
                        "intervals apart: none of %d",
                        kMaxTime, cases.size()),
        0, Bound::kAtMost, 0, [&](size_t who) {
          return Count(cases, who,
                       [&](size_t c) { return IsSlower(c, who, kMaxTime); });
        });
  }

  void AddFatter() {
    const std::vector<size_t> cases = JudgedOneByOne();
    if (cases.empty()) return;
    Add(absl::StrFormat("workloads with peak RSS above %.2f times the leanest "
                        "peer's: none of %d",
                        kMaxPeak, cases.size()),
        0, Bound::kAtMost, 0, [&](size_t who) {
          return Count(cases, who, [&](size_t c) -> std::optional<bool> {
            const auto ratio =
                standings_.comparison(c).PeakAgainstLeanestPeer(who);
            if (!ratio.has_value()) return std::nullopt;
            return *ratio > kMaxPeak;
          });
        });
  }

  void AddPrograms() {
    const std::vector<size_t> cases = standings_.CasesOf({kPrograms});
    if (cases.empty()) return;
    Add(absl::StrFormat(
            "programs slower than the best peer, intervals apart: none of %d",
            cases.size()),
        0, Bound::kAtMost, 0, [&](size_t who) {
          return Count(cases, who,
                       [&](size_t c) { return IsSlower(c, who, 1); });
        });
    Add("programs: peak RSS over that of each peer but glibc, geometric mean, "
        "the highest: below 1",
        3, Bound::kBelow, 1, [&](size_t who) {
          std::optional<double> highest;
          for (size_t peer = 0; peer < results_.contenders().size(); ++peer) {
            if (results_.contenders()[peer].kind != Contender::kPeer) continue;
            const auto ratio = standings_.MeanPeakRatio(cases, who, peer);
            if (ratio.has_value()) {
              highest = std::max(highest.value_or(0), *ratio);
            }
          }
          return highest;
        });
    Add(absl::StrFormat(
            "programs: peak RSS over glibc's, geometric mean: at most %.2f",
            kMaxPeakOfGlibc),
        3, Bound::kAtMost, kMaxPeakOfGlibc,
        [&](size_t who) -> std::optional<double> {
          if (!glibc_.has_value()) return std::nullopt;
          return standings_.MeanPeakRatio(cases, who, *glibc_);
        });
  }

  void AddIdle() {
    const auto a_case = Find("idle");
    if (!a_case.has_value()) return;
    Add(absl::StrFormat("idle: resident beyond glibc's: at most %.1f MiB",
                        kMaxIdleMib),
        2, Bound::kAtMost, kMaxIdleMib,
        [&](size_t who) -> std::optional<double> {
          if (!glibc_.has_value()) return std::nullopt;
          const auto& mine = Of(*a_case, who);
          const auto& its = Of(*a_case, *glibc_);
          if (!mine.has_value() || !its.has_value()) return std::nullopt;
          return (IdleKib(*mine) - IdleKib(*its)) / 1024;
        });
  }

  static double IdleKib(const Summary& summary) {
    return summary.resident_after_kib.value_or(summary.peak_rss_kib.median);
  }

  void AddStart() {
    const auto a_case = Find("start-true");
    if (!a_case.has_value()) return;
    Add(absl::StrFormat("start-true: time over glibc's: at most %.2f",
                        kMaxStart),
        3, Bound::kAtMost, kMaxStart, [&](size_t who) -> std::optional<double> {
          if (!glibc_.has_value()) return std::nullopt;
          return standings_.TimeRatio(*a_case, who, *glibc_);
        });
  }

  void AddThreads() {
    const auto one = Find(RandomMixedThreadsName(1));
    const auto many = Find(RandomMixedThreadsName(kManyThreads));
    if (!one.has_value() || !many.has_value()) return;
    Add(absl::StrFormat("random-mixed: time of a core per operation on %d "
                        "threads over that on 1: at most %.2f",
                        kManyThreads, kMaxGrowth),
        3, Bound::kAtMost, kMaxGrowth,
        [&](size_t who) -> std::optional<double> {
          if (!Of(*one, who).has_value() || !Of(*many, who).has_value()) {
            return std::nullopt;
          }
          return Of(*many, who)->ns.median / Of(*one, who)->ns.median;
        });
  }

  void AddResident(const std::string& workload) {
    const auto a_case = Find(workload);
    if (!a_case.has_value()) return;
    Add(absl::StrFormat("%s: resident at the end over that at the start: at "
                        "most %.2f",
                        workload, kMaxResident),
        3, Bound::kAtMost, kMaxResident,
        [&](size_t who) -> std::optional<double> {
          const auto& summary = Of(*a_case, who);
          if (!summary.has_value() ||
              !summary->resident_before_kib.has_value() ||
              !summary->resident_after_kib.has_value()) {
            return std::nullopt;
          }
          return *summary->resident_after_kib / *summary->resident_before_kib;
        });
  }

  const Standings& standings_;
  const Results& results_;
  Judgement& judgement_;
  const std::optional<size_t> glibc_;
};

}  // namespace

Judgement JudgeBench(const Standings& standings) {
  Judgement judgement(BackEnds(standings.results()));
  Judge(standings, judgement).AddAll();
  return judgement;
}

}  // namespace hakmem::bench
