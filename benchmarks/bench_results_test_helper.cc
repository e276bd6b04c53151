#include "benchmarks/bench_results_test_helper.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "benchmarks/harness/bench_cases.h"

namespace hakmem::bench {
namespace {

// What a contender needs in a workload.
struct Cost {
  double ns;
  double peak_mib;
};

// Others, and what HAKMEM is asked to stay below.
Cost CostOf(const Case& a_case, size_t who) {
  const bool is_few = a_case.workload == "random-mixed-256";
  const bool is_many = a_case.workload == "random-mixed-8192";
  const double best = is_few ? 12 : is_many ? 15 : 100;
  switch (who) {
    case kFloor:
      return {8, 5};
    case kSegment:
      return {is_few ? 10.3 : is_many ? 11.8 : 79, 9};
    case kSuperslab:
      return {is_few                                         ? 10.6
              : is_many                                      ? 12.55
              : a_case.workload == "random-mixed-64-threads" ? 140
                                                             : 106,
              11.2};
    case kGlibc:
      return {best * 1.02, 9};
    case kMimalloc:
      return {best, 10};
    default:
      return {best * 1.5, 20};
  }
}

Sample MemoryOf(const Case& a_case, size_t who) {
  Sample sample = MakeSample(1);
  if (a_case.workload == "idle") {
    sample.resident_after_kib = who == kSegment     ? 1400
                                : who == kSuperslab ? 1500
                                                    : 1000;
  }
  if (a_case.workload == "asymmetric" ||
      absl::StartsWith(a_case.workload, "grow-")) {
    sample.resident_before_kib = 1000;
    sample.resident_after_kib = who == kSuperslab ? 1060 : 1040;
  }
  if (a_case.workload == "drift") {
    sample.series = {{1024, 2048}, {4096, 8192}, {2048, 6144}};
    sample.raw.Set("series",
                   *Json::Parse("[[1024, 2048], [4096, 8192], [2048, 6144]]"));
  }
  return sample;
}

}  // namespace

Results MakeBenchResults() {
  Results few = MakeResults();
  std::vector<Contender> contenders = few.contenders();
  contenders.push_back({"jemalloc", Contender::kPeer, "/x/d.so", "5"});
  return Results(std::move(contenders), BenchCases(/*quick=*/false, 100), 2);
}

void AddRuns(Results& results, const std::string& workload, size_t who,
             double ns, double peak_mib, Sample sample) {
  const size_t a_case = CaseOf(results, workload);
  const Case where = results.cases()[a_case];
  sample.threads = static_cast<double>(std::max<uint64_t>(where.threads, 1));
  for (int run = 0; run < 6; ++run) {
    const double noise = 1 + run * 0.001;
    sample.cpu_ns = ns * noise * sample.operations;
    // What two cores share of it.
    sample.wall_ns = sample.cpu_ns / std::min(sample.threads, 2.0);
    sample.peak_rss_kib = peak_mib * noise * 1024;
    results.Add(who, a_case, sample);
  }
}

Results MakeGoodAndBad() {
  Results results = MakeBenchResults();
  for (size_t c = 0; c < results.cases().size(); ++c) {
    for (size_t who = 0; who < results.contenders().size(); ++who) {
      const Case& where = results.cases()[c];
      if (where.LeavesOut(results.contenders()[who].name)) continue;
      const Cost cost = CostOf(where, who);
      AddRuns(results, where.workload, who, cost.ns, cost.peak_mib,
              MemoryOf(where, who));
    }
  }
  return results;
}

size_t CaseOf(const Results& results, const std::string& workload) {
  return results.FindCase(workload).value();
}

}  // namespace hakmem::bench
