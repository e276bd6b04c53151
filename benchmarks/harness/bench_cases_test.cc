#include "benchmarks/harness/bench_cases.h"

#include <algorithm>
#include <set>

#include "benchmarks/harness/flags.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

const Case* Find(const std::vector<Case>& cases, const std::string& name) {
  for (const Case& a_case : cases) {
    if (a_case.workload == name) return &a_case;
  }
  return nullptr;
}

TEST(BenchCases, AllHaveANameOfTheirOwnAndAKind) {
  std::set<std::string> names;
  std::set<std::string> kinds;
  for (const Case& a_case : BenchCases(/*quick=*/false, 100)) {
    EXPECT_TRUE(IsName(a_case.workload)) << a_case.workload;
    EXPECT_TRUE(names.insert(a_case.workload).second) << a_case.workload;
    kinds.insert(a_case.kind);
    EXPECT_FALSE(a_case.operation.empty()) << a_case.workload;
    EXPECT_FALSE(a_case.worker.empty()) << a_case.workload;
    EXPECT_FALSE(a_case.arguments.empty()) << a_case.workload;
  }
  EXPECT_EQ(kinds,
            std::set<std::string>(KindNames().begin(), KindNames().end()));
}

TEST(BenchCases, QuickIsAPartOfFull) {
  const std::vector<Case> full = BenchCases(/*quick=*/false, 100);
  const std::vector<Case> quick = BenchCases(/*quick=*/true, 25);
  EXPECT_LT(quick.size() * 2, full.size());
  for (const Case& a_case : quick) {
    EXPECT_NE(Find(full, a_case.workload), nullptr) << a_case.workload;
  }
}

TEST(BenchCases, EffortScalesTheWork) {
  const std::vector<Case> full = BenchCases(/*quick=*/false, 100);
  EXPECT_EQ(Find(full, "random-mixed-64")->arguments,
            std::vector<std::string>(
                {"--slots=64", "--threads=1", "--operations=4000000"}));
  EXPECT_EQ(Find(full, "random-mixed-65536")->arguments[2],
            "--operations=2000000");
  EXPECT_EQ(Find(full, "random-mixed-64-threads")->arguments[2],
            "--operations=62500");
  EXPECT_EQ(Find(full, "map")->arguments,
            std::vector<std::string>({"--workload=map", "--effort=100"}));
  const std::vector<Case> quick = BenchCases(/*quick=*/true, 25);
  EXPECT_EQ(Find(quick, "random-mixed-256")->arguments[2],
            "--operations=1000000");
  EXPECT_EQ(Find(quick, "grow-shuffled-others")->arguments[1], "--effort=10");
  // There is always something to do.
  EXPECT_EQ(Find(BenchCases(true, 1), "grow-shuffled-others")->arguments[1],
            "--effort=1");
}

TEST(BenchCases, SomeTakePartOnlyWhereTheySaySomething) {
  for (const Case& a_case : BenchCases(/*quick=*/false, 100)) {
    EXPECT_EQ(a_case.LeavesOut("floor"), a_case.slots == 0) << a_case.workload;
    for (const std::string& variant : PoolVariants()) {
      EXPECT_EQ(a_case.LeavesOut(variant), a_case.kind != kLarge);
    }
    EXPECT_FALSE(a_case.LeavesOut("segment"));
    EXPECT_EQ(a_case.timed, a_case.workload != "idle");
  }
}

TEST(BenchCases, WhatTakesLongRunsInEveryFifthRepeat) {
  size_t rare = 0;
  for (const Case& a_case : BenchCases(/*quick=*/false, 100)) {
    if (a_case.every == 5) ++rare;
  }
  EXPECT_EQ(rare, 7u);  // six grown heaps, and bursts
}

}  // namespace
}  // namespace hakmem::bench
