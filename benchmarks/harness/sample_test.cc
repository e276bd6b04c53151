// From a worker's line to metrics.
#include "benchmarks/harness/sample.h"

#include <set>
#include <string>

#include "benchmarks/harness/metrics.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

constexpr char kLine[] =
    R"({"threads": 2, "operations": 400, "wall_ns": 1000, "cpu_ns": 1900,)"
    R"( "cycles": 4000, "peak_rss_kib": 10, "minor_faults": 5,)"
    R"( "cache_misses": null, "dtlb_misses": 8, "instructions": null,)"
    R"( "libc_malloc_bytes": 0, "malloc_library": "/home/x/lib.so",)"
    R"( "series": [[1, 2], [3, 4]],)"
    R"( "statistics": {"chunks": 1, "slabs": 2,)"
    R"( "slab_live_bytes": 30, "slab_committed_bytes": 40}})";

Case On(uint64_t threads, bool per_core) {
  Case a_case;
  a_case.threads = threads;
  a_case.per_core = per_core;
  return a_case;
}

std::map<std::string, double> Values(const Case& a_case) {
  const auto sample = ParseWorkerLine(kLine, a_case, /*cores=*/2);
  EXPECT_TRUE(sample.has_value());
  return sample.value_or(Sample()).values;
}

TEST(ParseWorkerLine, ReadsAllThatItHas) {
  const auto sample = ParseWorkerLine(kLine, On(2, true), 2);
  ASSERT_TRUE(sample.has_value());
  const std::map<std::string, double>& values = sample->values;
  EXPECT_EQ(values.at("peak_rss"), 10 * 1024);
  EXPECT_EQ(values.at("minor_faults"), 5);
  EXPECT_EQ(values.at("dtlb_misses"), 0.02);
  EXPECT_EQ(values.count("cache_misses"), 0u);
  EXPECT_EQ(values.at("chunks"), 1);
  EXPECT_EQ(values.at("fragmentation"), 0.25);
  EXPECT_EQ(values.at("libc_malloc"), 0);
  EXPECT_DOUBLE_EQ(values.at("cpu_per_wall"), 1.9);
  ASSERT_EQ(sample->series.size(), 2u);
  EXPECT_EQ(sample->series[1], std::make_pair(3.0 * 1024, 4.0 * 1024));
}

TEST(ParseWorkerLine, RefusesALineWithoutWhatItMustHave) {
  EXPECT_FALSE(ParseWorkerLine("", {}, 1).has_value());
  EXPECT_FALSE(ParseWorkerLine("{}", {}, 1).has_value());
  EXPECT_FALSE(ParseWorkerLine("[1]", {}, 1).has_value());
  EXPECT_FALSE(ParseWorkerLine("hello", {}, 1).has_value());
  const auto changed = [](const std::string& from, const std::string& to) {
    std::string line = kLine;
    line.replace(line.find(from), from.size(), to);
    return line;
  };
  for (const std::string& bad :
       {changed("\"cpu_ns\"", "\"cpu_ms\""), changed("400", "\"many\""),
        changed("[3, 4]", "[3]"), changed("[3, 4]", "3"),
        changed("[3, 4]", "[3, null]")}) {
    EXPECT_FALSE(ParseWorkerLine(bad, {}, 1).has_value()) << bad;
  }
}

TEST(Time, OneThreadByCpuTimeSeveralByWallTime) {
  EXPECT_DOUBLE_EQ(Values(On(1, true)).at("ns"), 1900.0 / 400);
  EXPECT_DOUBLE_EQ(Values(On(1, true)).at("ops_per_second"), 400 / 1.9e-6);
  EXPECT_DOUBLE_EQ(Values(On(2, true)).at("ns"), 2 * 1000.0 / 400);
  EXPECT_DOUBLE_EQ(Values(On(2, true)).at("ops_per_second"), 400 / 1e-6);
  // Eight threads on two cores take the time of two cores.
  EXPECT_DOUBLE_EQ(Values(On(8, true)).at("ns"), 2 * 1000.0 / 400);
  EXPECT_DOUBLE_EQ(Values(On(2, true)).at("cycles"), 10);
  // Where threads share in an operation, it takes what the clock shows.
  EXPECT_DOUBLE_EQ(Values(On(2, false)).at("ns"), 1000.0 / 400);
}

TEST(MetricsOf, WorksOutWhatIsResident) {
  const RawNumbers raw = {{"/resident_before_kib", 2000},
                          {"/resident_after_kib", 2000 + 1050 + 2048},
                          {"/live_after_kib", 1000},
                          {"/peak_rss_kib", 9000}};
  const auto values = MetricsOf(raw, {});
  EXPECT_DOUBLE_EQ(values.at("resident_over_allowed"), 1);
  EXPECT_DOUBLE_EQ(values.at("resident_growth"), 5098.0 / 2000);
  EXPECT_DOUBLE_EQ(values.at("resident_settled"), 5098.0 * 1024);
  EXPECT_DOUBLE_EQ(MetricsOf({{"/peak_rss_kib", 9}}, {}).at("resident_settled"),
                   9 * 1024);
}

TEST(Metrics, HaveKeysOfTheirOwnAndOneSource) {
  std::set<std::string> keys;
  for (const Metric& metric : Metrics()) {
    EXPECT_TRUE(keys.insert(metric.key).second) << metric.key;
    EXPECT_NE(metric.raw != nullptr, metric.derive != nullptr) << metric.key;
    EXPECT_EQ(FindMetric(metric.key), &metric);
  }
  EXPECT_EQ(FindMetric("fallbacks"), nullptr);
}

}  // namespace
}  // namespace hakmem::bench
