// What was asked of ACE (ace_suite.h).
#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/ace_suite.h"
#include "benchmarks/analysis/comparison.h"

namespace hakmem::bench {
namespace {

constexpr double kMaxTimeOfBest = 1;
constexpr double kMaxPeakOfLeanest = 1.05;
constexpr double kMaxOfFixed = 0.95;
constexpr double kMaxWastePercent = 8;  // exclusive
// Resident memory after bursts, beyond what was resident before them.
constexpr double kMaxResidentOfLive = 1.05;
constexpr double kMaxResidentMoreKib = 2048;

constexpr char kFixedSuffix[] = "-ace_fixed";

bool IsWorse(const Spread& one, const Spread& other) {
  return one.low > other.high;
}

class Judge {
 public:
  Judge(const Results& results, Judgement& judgement)
      : results_(results), judgement_(judgement) {}

  void AddAll() {
    AddAgainstFixed("phase-shift");
    for (size_t c = 0; c < results_.cases().size(); ++c) AddAgainstPeers(c);
    for (const char* const workload : {"steady-64", "steady-4096"}) {
      AddWaste(workload);
    }
    AddResidentAfter("bursts");
  }

 private:
  // Adds nothing unless the workload was to be run.
  void Add(const std::string& workload, const std::string& asked, Bound bound,
           double limit,
           const std::function<std::optional<double>(
               const Comparison& comparison, size_t adaptive)>& measure) {
    const auto a_case = results_.FindCase(workload);
    if (!a_case.has_value()) return;
    const Comparison comparison(results_, *a_case);
    judgement_.Add(absl::StrCat(workload, ": ", asked), /*threads=*/0, 3, bound,
                   limit, [&](size_t who) -> std::optional<double> {
                     if (!comparison.summary(who).has_value()) {
                       return std::nullopt;
                     }
                     return measure(comparison, who);
                   });
  }

  void AddAgainstFixed(const std::string& workload) {
    Add(workload,
        absl::StrFormat("time or peak RSS at most %.2f of fixed's",
                        kMaxOfFixed),
        Bound::kAtMost, kMaxOfFixed,
        [&](const Comparison& comparison, size_t who) -> std::optional<double> {
          const Summary* const fixed = Fixed(comparison, who);
          if (fixed == nullptr) return std::nullopt;
          const Summary& adaptive = *comparison.summary(who);
          return std::min(
              adaptive.ns.median / fixed->ns.median,
              adaptive.peak_rss_kib.median / fixed->peak_rss_kib.median);
        });
    Add(workload,
        "of time and peak RSS none worse than fixed's (quartiles apart)",
        Bound::kAtMost, 0,
        [&](const Comparison& comparison, size_t who) -> std::optional<double> {
          const Summary* const fixed = Fixed(comparison, who);
          if (fixed == nullptr) return std::nullopt;
          const Summary& adaptive = *comparison.summary(who);
          return IsWorse(adaptive.ns, fixed->ns) +
                 IsWorse(adaptive.peak_rss_kib, fixed->peak_rss_kib);
        });
  }

  void AddAgainstPeers(size_t a_case) {
    const std::string& workload = results_.cases()[a_case].workload;
    Add(workload,
        absl::StrFormat("time over the best peer's: at most %.2f",
                        kMaxTimeOfBest),
        Bound::kAtMost, kMaxTimeOfBest,
        [](const Comparison& comparison, size_t who) -> std::optional<double> {
          const auto throughput = comparison.AgainstBestPeer(who);
          if (!throughput.has_value()) return std::nullopt;
          return 1 / *throughput;
        });
    Add(workload,
        absl::StrFormat(
            "peak RSS over the lowest of the three fastest: at most %.2f",
            kMaxPeakOfLeanest),
        Bound::kAtMost, kMaxPeakOfLeanest,
        [](const Comparison& comparison, size_t who) {
          return comparison.PeakAgainstLeanest(who);
        });
  }

  void AddWaste(const std::string& workload) {
    Add(workload,
        absl::StrFormat("internal waste below %.0f %%", kMaxWastePercent),
        Bound::kBelow, kMaxWastePercent,
        [](const Comparison& comparison, size_t who) -> std::optional<double> {
          const auto& waste = comparison.summary(who)->internal_waste;
          if (!waste.has_value()) return std::nullopt;
          return *waste * 100;
        });
  }

  void AddResidentAfter(const std::string& workload) {
    Add(workload,
        absl::StrFormat("resident after, over that before + %.2f live + %.0f "
                        "MiB: at most 1",
                        kMaxResidentOfLive, kMaxResidentMoreKib / 1024),
        Bound::kAtMost, 1,
        [](const Comparison& comparison, size_t who) -> std::optional<double> {
          const Summary& summary = *comparison.summary(who);
          if (!summary.resident_before_kib.has_value() ||
              !summary.resident_after_kib.has_value() ||
              !summary.live_after_kib.has_value()) {
            return std::nullopt;
          }
          return *summary.resident_after_kib /
                 (*summary.resident_before_kib +
                  kMaxResidentOfLive * *summary.live_after_kib +
                  kMaxResidentMoreKib);
        });
  }

  // Of the same back-end with adaptation frozen; null when not measured.
  const Summary* Fixed(const Comparison& comparison, size_t adaptive) const {
    const auto fixed = results_.FindContender(
        results_.contenders()[adaptive].name + kFixedSuffix);
    if (!fixed.has_value() || !comparison.summary(*fixed).has_value()) {
      return nullptr;
    }
    return &*comparison.summary(*fixed);
  }

  const Results& results_;
  Judgement& judgement_;
};

}  // namespace

Judgement JudgeAce(const Results& results) {
  Judgement judgement(BackEnds(results));
  Judge(results, judgement).AddAll();
  return judgement;
}

}  // namespace hakmem::bench
