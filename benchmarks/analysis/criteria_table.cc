// The table of criteria.h.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "benchmarks/analysis/criteria.h"
#include "benchmarks/harness/catalogue.h"
#include "benchmarks/harness/metrics.h"

namespace hakmem::bench {
namespace {

constexpr double kMib = 1 << 20;

// Cases by their keys, or by their kinds; untimed ones only by key.
struct Scope {
  std::vector<std::string> workloads;
  std::vector<std::string> kinds = {};
  bool each = false;  // a row for each of them
};

struct Row {
  const char* title;
  std::vector<std::string> metrics;
  Scope scope;
  Measure measure;
  Reference reference;
  Bound bound;
  double limit;
  double factor = 1;
};

const std::vector<std::string>& AllButPrograms() {
  static const auto* const kinds =
      new std::vector<std::string>{kSmall, kThreads, kMemory, kLarge, kStart};
  return *kinds;
}

// clang-format off
const std::vector<Row>& CatalogueRows() {
  using enum Measure;
  using enum Reference;
  using enum Bound;
  static const auto* const rows = new std::vector<Row>{
    {"above the floor, over the best's", {kTime}, {{"random-mixed-256", "random-mixed-8192"}, {}, true},
     kAboveFloor, kFastestPeer, kAtMost, 0.6},
    {"above the floor, over the best's", {kTime}, {{"mid-mix"}},
     kAboveFloor, kFastestPeer, kAtMost, 0.9},
    {"time, 8192 slots over 256", {kTime}, {{"random-mixed-256", "random-mixed-8192"}},
     kGrowth, kNobody, kAtMost, 1.15},
    {"time over the best single peer's", {kTime}, {{}, {kSmall, kThreads}},
     kRatio, kFastestPeer, kAtMost, 0.85},
    {"time over the best single peer's", {kTime}, {{}, {kLarge}},
     kRatio, kFastestPeer, kAtMost, 0.8},
    {"slower than 1.05 x the fastest", {kTime}, {{}, AllButPrograms()},
     kCountClear, kFastestPeer, kAtMost, 0, 1.05},
    {"peak above 1.10 x the leanest", {kPeak}, {{}, AllButPrograms()},
     kCount, kLeanestPeer, kAtMost, 0, 1.10},
    {"slower than the fastest peer", {kTime}, {{}, {kPrograms}},
     kCountClear, kFastestPeer, kAtMost, 0},
    {"peak over each peer's, the highest", {kPeak}, {{}, {kPrograms}},
     kRatio, kEachPeer, kBelow, 1},
    {"peak over glibc's", {kPeak}, {{}, {kPrograms}},
     kRatio, kGlibc, kAtMost, 1.02},
    {"resident beyond glibc's", {"resident_settled"}, {{"idle"}},
     kDifference, kGlibc, kAtMost, 0.4 * kMib},
    {"time over glibc's", {kTime}, {{"start-true"}},
     kRatio, kGlibc, kAtMost, 1.03},
    {"time of a core, 64 threads over 1", {kTime}, {{"random-mixed-1-thread", "random-mixed-64-threads"}},
     kGrowth, kNobody, kAtMost, 1.3},
    {"resident at the end over before", {"resident_growth"},
     {{"asymmetric", "grow-in-order-same", "grow-in-order-others", "grow-in-order-ended",
       "grow-shuffled-same", "grow-shuffled-others", "grow-shuffled-ended"}, {}, true},
     kValue, kNobody, kAtMost, 1.05},
    {"resident for a thread that waits", {"idle_thread"}, {{"idle-hundreds"}},
     kValue, kNobody, kAtMost, 64 * 1024},
    {"longest call, less its page faults", {"call_beyond_faults"}, {{"call-latency"}},
     kValue, kNobody, kAtMost, 300'000},
  };
  return *rows;
}

const std::vector<Row>& AceRows() {
  using enum Measure;
  using enum Reference;
  using enum Bound;
  static const auto* const rows = new std::vector<Row>{
    {"time or peak over the fixed pool's", {kTime, kPeak}, {{"phase-shift"}},
     kRatio, kFixedPool, kAtMost, 0.95},
    {"clearly worse than the fixed pool", {kTime, kPeak}, {{"phase-shift"}},
     kCountClear, kFixedPool, kAtMost, 0},
    {"time over the fastest peer's", {kTime}, {{}, {kLarge}, true},
     kRatio, kFastestPeer, kAtMost, 1},
    {"peak over the lowest of 3 fastest", {kPeak}, {{}, {kLarge}, true},
     kRatio, kLeanestOfFastest, kAtMost, 1.05},
    {"internal waste", {"internal_waste"}, {{"steady-64", "steady-4096"}, {}, true},
     kValue, kNobody, kBelow, 0.08},
    {"resident at the end over allowed", {"resident_over_allowed"}, {{"bursts"}},
     kValue, kNobody, kAtMost, 1},
  };
  return *rows;
}

// Of the grid, on so many threads.
std::vector<Row> GridRows(uint64_t threads) {
  using enum Measure;
  using enum Reference;
  using enum Bound;
  const std::string few = GridKey(256, threads);
  const std::string many = GridKey(8192, threads);
  return {
    {"above the floor, over mimalloc's", {kTime}, {{few, many}, {}, true},
     kAboveFloor, kMimalloc, kAtMost, 1},
    {"throughput over glibc's", {"ops_per_second"}, {{few}},
     kRatio, kGlibc, kAtLeast, 1.2},
    {"throughput over glibc's", {"ops_per_second"}, {{many}},
     kRatio, kGlibc, kAtLeast, 1.5},
    {"time, 8192 slots over 256", {kTime}, {{few, many}},
     kGrowth, kNobody, kAtMost, 1.25},
    {"bytes held by libc's own malloc", {"libc_malloc"}, {{few, many}},
     kValue, kNobody, kAtMost, 0},
    {"chunks held", {"chunks"}, {{many}},
     kValue, kNobody, kBelow, 10},
    {"fragmentation of slabs", {"fragmentation"}, {{many}},
     kValue, kNobody, kBelow, 0.2},
  };
}
// clang-format on

std::vector<std::string> WorkloadsIn(const Scope& scope,
                                     const std::vector<Case>& cases) {
  const auto has = [](const std::vector<std::string>& all,
                      const std::string& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  std::vector<std::string> workloads;
  for (const Case& a_case : cases) {
    if (has(scope.workloads, a_case.key) ||
        (has(scope.kinds, a_case.kind) && a_case.timed)) {
      workloads.push_back(a_case.key);
    }
  }
  return workloads;
}

Criterion CriterionOf(const Row& row, std::vector<std::string> workloads,
                      std::string scope) {
  Criterion criterion;
  criterion.title = row.title;
  criterion.metrics = row.metrics;
  criterion.workloads = std::move(workloads);
  criterion.scope = std::move(scope);
  criterion.measure = row.measure;
  criterion.reference = row.reference;
  criterion.bound = row.bound;
  criterion.limit = row.limit;
  criterion.factor = row.factor;
  return criterion;
}

void Add(const Row& row, const std::vector<Case>& cases,
         std::vector<Criterion>& criteria) {
  const std::vector<std::string> workloads = WorkloadsIn(row.scope, cases);
  // What grows has a beginning and an end.
  if (workloads.size() < (row.measure == Measure::kGrowth ? 2 : 1)) return;
  if (row.scope.each) {
    for (const std::string& workload : workloads) {
      criteria.push_back(CriterionOf(row, {workload}, workload));
    }
    return;
  }
  std::string scope = row.scope.kinds == AllButPrograms()
                          ? "all but programs"
                          : absl::StrJoin(row.scope.kinds, ", ");
  if (row.scope.kinds.empty()) {
    scope = absl::StrJoin(row.scope.workloads, ", ");
  }
  criteria.push_back(CriterionOf(row, workloads, std::move(scope)));
}

}  // namespace

std::vector<Criterion> CriteriaOf(const std::string& suite,
                                  const std::vector<Case>& cases) {
  std::vector<Row> rows;
  if (suite == "ace") {
    rows = AceRows();
  } else if (suite == "default") {
    std::set<uint64_t> threads;
    for (const Case& a_case : cases) threads.insert(a_case.threads);
    for (const uint64_t count : threads) {
      const std::vector<Row> more = GridRows(count);
      rows.insert(rows.end(), more.begin(), more.end());
    }
  } else {
    rows = CatalogueRows();
  }
  std::vector<Criterion> criteria;
  for (const Row& row : rows) Add(row, cases, criteria);
  return criteria;
}

}  // namespace hakmem::bench
