#include "benchmarks/harness/catalogue.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/harness/allocators.h"
#include "benchmarks/harness/options.h"
#include "benchmarks/harness/suites.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

std::optional<Case> Find(const std::vector<Case>& cases,
                         const std::string& key) {
  for (const Case& a_case : cases) {
    if (a_case.key == key) return a_case;
  }
  return std::nullopt;
}

TEST(CatalogueCases, AllHaveANameOfTheirOwnAndAKind) {
  std::set<std::string> names;
  std::set<std::string> kinds;
  for (const Case& a_case : CatalogueCases(/*quick=*/false, 100, 5)) {
    EXPECT_TRUE(IsName(a_case.key)) << a_case.key;
    EXPECT_TRUE(names.insert(a_case.key).second) << a_case.key;
    kinds.insert(a_case.kind);
    EXPECT_FALSE(a_case.operation.empty()) << a_case.key;
    EXPECT_FALSE(a_case.worker.empty()) << a_case.key;
    EXPECT_FALSE(a_case.arguments.empty()) << a_case.key;
  }
  std::set<std::string> all;
  for (const Kind& kind : Kinds()) all.insert(kind.key);
  EXPECT_EQ(kinds, all);
}

TEST(CatalogueCases, QuickIsAPartOfFull) {
  const std::vector<Case> full = CatalogueCases(/*quick=*/false, 100, 5);
  const std::vector<Case> quick = CatalogueCases(/*quick=*/true, 25, 5);
  EXPECT_LT(quick.size() * 2, full.size());
  for (const Case& a_case : quick) {
    EXPECT_TRUE(Find(full, a_case.key).has_value()) << a_case.key;
  }
}

TEST(CatalogueCases, EffortScalesTheWork) {
  const std::vector<Case> full = CatalogueCases(/*quick=*/false, 100, 5);
  EXPECT_EQ(Find(full, "random-mixed-64")->arguments,
            std::vector<std::string>(
                {"--slots=64", "--threads=1", "--operations=4000000"}));
  EXPECT_EQ(Find(full, "random-mixed-65536")->arguments[2],
            "--operations=2000000");
  EXPECT_EQ(Find(full, "random-mixed-64-threads")->arguments[2],
            "--operations=62500");
  EXPECT_EQ(Find(full, "map")->arguments,
            std::vector<std::string>({"--workload=map", "--effort=100"}));
  const std::vector<Case> quick = CatalogueCases(/*quick=*/true, 25, 5);
  EXPECT_EQ(Find(quick, "random-mixed-256")->arguments[2],
            "--operations=1000000");
  EXPECT_EQ(Find(quick, "grow-shuffled-others")->arguments[1], "--effort=10");
  // There is always something to do.
  EXPECT_EQ(Find(CatalogueCases(/*quick=*/true, 1, 5), "grow-shuffled-others")
                ->arguments[1],
            "--effort=1");
}

TEST(CatalogueCases, SomeTakePartOnlyWhereTheySaySomething) {
  Allocator floor{.key = "floor", .title = "floor", .role = Allocator::kFloor};
  Allocator ours{.key = "x", .title = "x", .role = Allocator::kOurs};
  Allocator fixed = ours;
  fixed.ace = "fixed";
  Allocator hardened = ours;
  hardened.hardening = "full";
  for (const Case& a_case : CatalogueCases(/*quick=*/false, 100, 5)) {
    EXPECT_EQ(TakesPart(floor, a_case), a_case.worker == kRandomMixedWorker);
    EXPECT_EQ(TakesPart(fixed, a_case), a_case.kind == kLarge) << a_case.key;
    EXPECT_TRUE(TakesPart(ours, a_case));
    EXPECT_TRUE(TakesPart(hardened, a_case));
    EXPECT_EQ(a_case.timed,
              a_case.key != "idle" && a_case.key != "call-latency");
  }
}

TEST(CatalogueCases, PointsOfCurvesAreOnOneThatThereIs) {
  std::set<std::string> curves;
  for (const Curve& curve : Curves()) curves.insert(curve.key);
  std::set<std::pair<std::string, double>> points;
  for (const Case& a_case : CatalogueCases(/*quick=*/false, 100, 5)) {
    if (a_case.curve.empty()) continue;
    EXPECT_EQ(curves.count(a_case.curve), 1u) << a_case.key;
    EXPECT_TRUE(points.emplace(a_case.curve, a_case.x).second) << a_case.key;
  }
  EXPECT_EQ(points.size(), 9u + 4 + 5);
}

TEST(Suites, NameWorkloadsThatThereAre) {
  for (const Suite& suite : Suites()) {
    EXPECT_EQ(FindSuite(suite.key), &suite);
    for (const char* const key : suite.workloads) {
      EXPECT_TRUE(
          Find(CatalogueCases(/*quick=*/false, 100, 5), key).has_value())
          << key;
    }
  }
  EXPECT_EQ(FindSuite("none"), nullptr);
}

TEST(CatalogueCases, WhatTakesLongRunsInEveryFifthRepeat) {
  size_t rare = 0;
  for (const Case& a_case : CatalogueCases(/*quick=*/false, 100, 5)) {
    if (a_case.every == 5) ++rare;
  }
  // Six grown heaps, bursts, a cache that runs for minutes, timed calls.
  EXPECT_EQ(rare, 9u);
}

}  // namespace
}  // namespace hakmem::bench
