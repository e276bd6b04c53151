#include "benchmarks/testing/worker_test_helper.h"

#include "benchmarks/harness/sample.h"
#include "benchmarks/testing/program_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {

Json ParseWorkerLine(const ProcessResult& result, const std::string& name) {
  EXPECT_TRUE(result.ok()) << name << ": " << result.Describe();
  EXPECT_EQ(result.errors, "") << name;
  EXPECT_EQ(result.output.find('\n'), result.output.size() - 1) << name;
  EXPECT_TRUE(Sample::Parse(result.output).has_value()) << result.output;
  return Json::Parse(result.output).value_or(Json());
}

Json RunOnWorker(const std::string& worker, const std::string& name,
                 const std::string& effort,
                 const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"--workload=" + name, effort,
                                        "--seed=7"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return ParseWorkerLine(RunProgram(worker, arguments), name);
}

double Number(const Json& json, const std::string& key) {
  EXPECT_TRUE(json[key].number().has_value()) << key;
  return json[key].number().value_or(-1);
}

void ExpectProbeSaysWhoServes(const std::string& worker) {
  const ProcessResult result = RunProgram(worker, {"--probe"});
  ASSERT_TRUE(result.ok()) << result.Describe();
  const Json json = Json::Parse(result.output).value_or(Json());
  EXPECT_NE(json["malloc_library"].text(), "");
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
