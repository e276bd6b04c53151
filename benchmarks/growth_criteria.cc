// What is asked of growth (bench_judge.h).
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "benchmarks/bench_judge.h"
#include "benchmarks/harness/bench_cases.h"

namespace hakmem::bench {
namespace {

constexpr uint64_t kManyThreads = 64;

constexpr double kMaxCost = 1.3;       // of that on one thread
constexpr double kMaxResident = 1.05;  // of that at the start

void AskThreads(BenchJudge& judge) {
  const auto one = judge.Find(RandomMixedThreadsName(1));
  const auto many = judge.Find(RandomMixedThreadsName(kManyThreads));
  if (!one.has_value() || !many.has_value()) return;
  judge.Add(
      absl::StrFormat("random-mixed: time of a core per operation on %d "
                      "threads over that on 1: at most %.2f",
                      kManyThreads, kMaxCost),
      3, Bound::kAtMost, kMaxCost, [&](size_t who) -> std::optional<double> {
        const auto& alone = judge.standings().comparison(*one).summary(who);
        const auto& among = judge.standings().comparison(*many).summary(who);
        if (!alone.has_value() || !among.has_value()) return std::nullopt;
        return among->ns.median / alone->ns.median;
      });
}

void AskResident(BenchJudge& judge, const std::string& workload) {
  const auto a_case = judge.Find(workload);
  if (!a_case.has_value()) return;
  judge.Add(
      absl::StrFormat("%s: resident at the end over that at the start: "
                      "at most %.2f",
                      workload, kMaxResident),
      3, Bound::kAtMost, kMaxResident,
      [&](size_t who) -> std::optional<double> {
        const auto& summary =
            judge.standings().comparison(*a_case).summary(who);
        if (!summary.has_value() || !summary->resident_before_kib.has_value() ||
            !summary->resident_after_kib.has_value()) {
          return std::nullopt;
        }
        return *summary->resident_after_kib / *summary->resident_before_kib;
      });
}

}  // namespace

void AskOfGrowth(BenchJudge& judge) {
  AskThreads(judge);
  AskResident(judge, "asymmetric");
  for (const Case& a_case : judge.results().cases()) {
    if (absl::StartsWith(a_case.workload, "grow-")) {
      AskResident(judge, a_case.workload);
    }
  }
}

}  // namespace hakmem::bench
