// What stands in result.json, and that it follows its format.
#include "benchmarks/analysis/result.h"

#include <algorithm>
#include <set>

#include "benchmarks/analysis/results_test_helper.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace hakmem::bench {
namespace {

using json = nlohmann::ordered_json;

std::string Text(const Measurements& measurements) {
  return ResultText(MakeResult(MakeInfo(), Cells(measurements), nullptr));
}

json ResultOf(const Measurements& measurements) {
  return json::parse(Text(measurements));
}

// No null anywhere: what is missing has no key.
void ExpectNoNull(const json& value, const std::string& place) {
  EXPECT_FALSE(value.is_null()) << place;
  if (!value.is_structured()) return;
  for (const auto& [key, member] : value.items()) {
    ExpectNoNull(member, place + "/" + key);
  }
}

const json& Find(const json& list, const std::string& member,
                 const std::string& value) {
  for (const json& each : list) {
    if (each.at(member) == value) return each;
  }
  ADD_FAILURE() << "none has " << member << " " << value;
  static const json* const none = new json();
  return *none;
}

TEST(Result, HasAllPartsOfTheFormat) {
  Measurements results = MakeGoodAndBad();
  results.absences.resize(results.cases.size());
  results.absences[CaseOf(results, "zstd")] = "no zstd";
  for (Sample& sample : results.samples) {
    if (results.cases[sample.a_case].key == "drift") {
      sample.series = {{1024, 2048}, {4096, 8192}};
    }
  }
  Forget(results, "map", kJemalloc);
  AddFailure(results, "map", kJemalloc, "<crash>");
  const json result = ResultOf(results);
  ExpectNoNull(result, "");
  EXPECT_EQ(result["format"], 1);
  for (const char* const key :
       {"tool", "command", "suite", "started", "seconds", "interrupted",
        "repeats", "machine", "metrics", "allocators", "kinds", "workloads",
        "samples", "analysis"}) {
    EXPECT_TRUE(result.contains(key)) << key;
  }
  EXPECT_EQ(result["suite"]["key"], "full");
  EXPECT_EQ(result["seconds"], 12.3);
  EXPECT_EQ(result["allocators"].size(), 7u);
  EXPECT_EQ(result["allocators"][0]["role"], "floor");
  EXPECT_EQ(result["allocators"][1]["library"], "segment.so");
  EXPECT_EQ(Find(result["allocators"], "key", "tcmalloc")["absent"],
            "not <installed>");
  EXPECT_EQ(Find(result["workloads"], "key", "zstd")["absent"], "no zstd");
  const json& mixed = Find(result["workloads"], "key", "random-mixed-256");
  EXPECT_EQ(mixed["curve"]["x"], 256);
  EXPECT_EQ(mixed["time"], "ns");
  EXPECT_EQ(mixed["memory"], "peak_rss");
  EXPECT_FALSE(Find(result["workloads"], "key", "idle").contains("time"));
  EXPECT_EQ(Find(result["samples"], "workload", "drift")["series"][1][1], 8192);
  bool failed = false;
  for (const json& sample : result["samples"]) {
    failed = failed || sample.value("failure", "") == "<crash>";
  }
  EXPECT_TRUE(failed);
  // Where files lie is nobody's business.
  EXPECT_EQ(result.dump().find("/home"), std::string::npos);
}

TEST(Result, HasTheAnalysis) {
  const json analysis = ResultOf(MakeGoodAndBad())["analysis"];
  for (const json& cell : analysis["cells"]) {
    const json& time = cell["metrics"]["ns"];
    EXPECT_LE(time["low"], time["value"]);
    EXPECT_GE(time["high"], time["value"]);
    EXPECT_EQ(time["samples"], 6);
  }
  EXPECT_EQ(analysis["headline"]["allocator"], "segment");
  EXPECT_EQ(analysis["headline"]["versus"], "mimalloc");
  EXPECT_EQ(analysis["headline"]["bars"].size(), 5u);
  EXPECT_EQ(analysis["means"][0]["scope"], "all");
  EXPECT_EQ(analysis["means"].size(), 7u);  // and six kinds
  const json& large = Find(analysis["means"], "scope", "large");
  EXPECT_EQ(large["best_peer"], "mimalloc");
  EXPECT_NEAR(Find(large["rows"], "allocator", "segment")["time"], 0.79, 1e-9);
  EXPECT_NEAR(
      Find(large["rows"], "allocator", "segment")["memory_over_leanest"], 0.9,
      1e-9);
  EXPECT_EQ(Find(analysis["behind"], "allocator", "superslab")["metric"], "ns");
  ASSERT_EQ(analysis["curves"].size(), 3u);
  const json& threads = Find(analysis["curves"], "key", "random-mixed-threads");
  const json& line = Find(threads["lines"], "allocator", "superslab");
  EXPECT_EQ(line["points"].back()[0], 64);
  EXPECT_NEAR(line["points"].back()[1], 140, 1);
  ASSERT_EQ(analysis["criteria"].size(), 23u);
  EXPECT_EQ(analysis["criteria"][0]["bound"], "at_most");
  EXPECT_EQ(analysis["criteria"][0]["values"][0]["met"], true);
  EXPECT_FALSE(analysis.contains("against"));
}

TEST(Result, NamesEveryMetricOnce) {
  const json result = ResultOf(MakeGoodAndBad());
  std::set<std::string> keys;
  for (const json& metric : result["metrics"]) {
    EXPECT_TRUE(keys.insert(metric["key"]).second) << metric["key"];
    EXPECT_NE(metric["title"], "");
  }
  for (const json& sample : result["samples"]) {
    for (const auto& [metric, value] : sample["values"].items()) {
      EXPECT_EQ(keys.count(metric), 1u) << metric;
    }
  }
}

TEST(Result, SaysLittleWhereNothingWasMeasured) {
  const json result = ResultOf(MakeMeasurements());
  ExpectNoNull(result, "");
  EXPECT_TRUE(result["samples"].empty());
  EXPECT_TRUE(result["analysis"]["means"].empty());
  EXPECT_FALSE(result["analysis"].contains("headline"));
}

TEST(ResultText, IsSmallEnoughToBeKept) {
  const std::string text = Text(MakeGoodAndBad());
  // Some 70 workloads, 5 allocators, 6 runs: below 300 bytes a run with all
  // that is made of it, and a line for each sample, cell and row.
  EXPECT_LT(text.size(), 70u * 5 * 6 * 300);
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 70 * 5 * 9);
  EXPECT_GT(std::count(text.begin(), text.end(), '\n'), 70 * 5 * 6);
}

}  // namespace
}  // namespace hakmem::bench
