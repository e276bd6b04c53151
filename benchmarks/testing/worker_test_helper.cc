#include "benchmarks/testing/worker_test_helper.h"

#include "benchmarks/harness/sample.h"
#include "benchmarks/testing/program_test_helper.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace hakmem::bench {

WorkerLine WorkerLine::Parse(const std::string& text) {
  using nlohmann::json;
  WorkerLine line;
  const json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  EXPECT_TRUE(parsed.is_object()) << text;
  if (!parsed.is_object()) return line;
  for (const auto& [key, value] : parsed.items()) {
    if (value.is_number()) line.numbers[key] = value.get<double>();
    if (value.is_string()) line.texts[key] = value.get<std::string>();
  }
  line.has_statistics =
      parsed.contains("statistics") && !parsed["statistics"].is_null();
  for (const json& point : parsed.value("series", json::array())) {
    EXPECT_EQ(point.size(), 2u);
    line.series.emplace_back(point.at(0).get<double>(),
                             point.at(1).get<double>());
  }
  return line;
}

WorkerLine LineOf(const ProcessResult& result, const std::string& name) {
  EXPECT_TRUE(result.ok()) << name << ": " << result.Describe();
  EXPECT_EQ(result.errors, "") << name;
  EXPECT_EQ(result.output.find('\n'), result.output.size() - 1) << name;
  EXPECT_TRUE(ParseWorkerLine(result.output, {}, 1).has_value())
      << result.output;
  return WorkerLine::Parse(result.output);
}

WorkerLine RunOnWorker(const std::string& worker, const std::string& name,
                       const std::string& effort,
                       const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"--workload=" + name, effort,
                                        "--seed=7"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return LineOf(RunProgram(worker, arguments), name);
}

double Number(const WorkerLine& line, const std::string& key) {
  const auto found = line.numbers.find(key);
  EXPECT_NE(found, line.numbers.end()) << key;
  return found == line.numbers.end() ? -1 : found->second;
}

void ExpectSane(const WorkerLine& line, const std::string& name) {
  EXPECT_EQ(line.Text("workload"), name);
  EXPECT_EQ(Number(line, "seed"), 7);
  EXPECT_GE(Number(line, "operations"), 30);
  EXPECT_GT(Number(line, "wall_ns"), 1e4);
  EXPECT_GT(Number(line, "cpu_ns"), 1e4);
  EXPECT_LT(Number(line, "cpu_ns"), 60e9);
  EXPECT_GT(Number(line, "peak_rss_kib"), 500);
  EXPECT_LT(Number(line, "peak_rss_kib"), 1 << 20);
  EXPECT_GT(Number(line, "minor_faults"), 0);
}

void ExpectProbeSaysWhoServes(const std::string& worker) {
  const ProcessResult result = RunProgram(worker, {"--probe"});
  ASSERT_TRUE(result.ok()) << result.Describe();
  EXPECT_NE(WorkerLine::Parse(result.output).Text("malloc_library"), "");
}

void ExpectBadArgumentsAreRefused(const std::string& worker) {
  for (const char* const bad :
       {"--workload=nothing", "--workload=", "--workload", "", "--effort=0",
        "--effort=x", "--seed=-1", "--threads=2", "--florr", "--probe=1"}) {
    EXPECT_TRUE(IsOneLineAndStatusTwo(RunProgram(worker, {bad}))) << bad;
  }
  EXPECT_TRUE(IsOneLineAndStatusTwo(RunProgram(worker, {})));
}

}  // namespace hakmem::bench
