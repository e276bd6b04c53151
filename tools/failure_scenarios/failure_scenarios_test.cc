// Each way to make an allocation fail, held to the cause and the evidence that
// is recorded of it, for both back-ends and with ACE adaptive and fixed.
//
// The build gives the program that runs them, from the folder the test starts
// in: HAKMEM_TEST_PROGRAM.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <tuple>

#include "tools/failure_scenarios/run_scenario.h"
#include "tools/failure_scenarios/scenarios.h"
#include "tools/subprocess/subprocess.h"

namespace hakmem::tools {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr uint64_t kMiB = uint64_t{1} << 20;

uint64_t Number(const RecordedFailure& f, const char* field) {
  return f.record.at(field).get<uint64_t>();
}

std::string Explanation(const RecordedFailure& f) {
  return f.record.at("explanation");
}

class FailureScenariosTest
    : public testing::TestWithParam<std::tuple<const char*, const char*>> {
 protected:
  static RecordedFailure Recorded(const char* name) {
    const char* const program = std::getenv("HAKMEM_TEST_PROGRAM");
    for (const FailureScenario& scenario : FailureScenarios()) {
      if (strcmp(scenario.name, name) != 0) continue;
      const auto failure = RunScenario(
          scenario, std::get<0>(GetParam()), std::get<1>(GetParam()),
          std::filesystem::absolute(program).string());
      EXPECT_TRUE(failure.ok()) << failure.status();
      return failure.value_or(RecordedFailure());
    }
    ADD_FAILURE() << "no scenario is called " << name;
    return {};
  }

  // That the system refused a large block's mapping for want of `subcause`,
  // whose limit is the one that was set.
  static RecordedFailure ExpectLimit(const char* name, const char* subcause) {
    RecordedFailure f = Recorded(name);
    EXPECT_EQ(f.record["entry"], "malloc");
    EXPECT_EQ(f.record["layer"], "large");
    EXPECT_EQ(f.record["cause"], "MapFail");
    EXPECT_EQ(f.record["subcause"], subcause);
    EXPECT_EQ(Number(f, "error"), uint64_t{ENOMEM});
    EXPECT_EQ(Number(f, "size"), 5 * kMiB);
    EXPECT_GE(Number(f, "os_bytes"), Number(f, "size"));
    EXPECT_NE(f.set_limit, 0u);
    EXPECT_EQ(Number(f, "evidence_limit"), f.set_limit);
    return f;
  }

  static RecordedFailure ExpectThreshold(const char* name, const char* entry,
                                         uint64_t size, int error) {
    RecordedFailure f = Recorded(name);
    EXPECT_EQ(f.record["entry"], entry);
    EXPECT_EQ(f.record["cause"], "Threshold");
    EXPECT_EQ(f.record["subcause"], "none");
    EXPECT_EQ(Number(f, "size"), size);
    EXPECT_EQ(Number(f, "error"), static_cast<uint64_t>(error));
    EXPECT_EQ(Number(f, "os_bytes"), 0u) << "nothing was asked of the system";
    return f;
  }
};

TEST_P(FailureScenariosTest, TheLimitOnAddressSpace) {
  RecordedFailure f = ExpectLimit("rlimit_as", "RLIMIT_AS");
  EXPECT_LE(Number(f, "evidence_used"), Number(f, "evidence_limit"));
  EXPECT_GT(Number(f, "evidence_used") + Number(f, "os_bytes"),
            Number(f, "evidence_limit"));
  EXPECT_THAT(Explanation(f), HasSubstr("raise RLIMIT_AS (ulimit -v)"));
}

TEST_P(FailureScenariosTest, TheLimitOnData) {
  RecordedFailure f = ExpectLimit("rlimit_data", "RLIMIT_DATA");
  EXPECT_LE(Number(f, "evidence_used"), Number(f, "evidence_limit"));
  EXPECT_GT(Number(f, "evidence_used") + Number(f, "os_bytes"),
            Number(f, "evidence_limit"));
  EXPECT_THAT(Explanation(f), HasSubstr("raise RLIMIT_DATA (ulimit -d)"));
}

TEST_P(FailureScenariosTest, TheLimitOnMappings) {
  RecordedFailure f = ExpectLimit("map_count", "max_map_count");
  uint64_t most = 0;
  std::ifstream("/proc/sys/vm/max_map_count") >> most;
  EXPECT_EQ(Number(f, "evidence_limit"), most);
  // The kernel and /proc/self/maps count a few of its own differently.
  EXPECT_NEAR(static_cast<double>(Number(f, "evidence_used")),
              static_cast<double>(most), 8);
  EXPECT_THAT(Explanation(f),
              HasSubstr("raise vm.max_map_count from " + std::to_string(most)));
}

TEST_P(FailureScenariosTest, TheLimitOfAce) {
  RecordedFailure f = Recorded("ace_limit");
  EXPECT_EQ(f.record["entry"], "malloc");
  EXPECT_EQ(f.record["layer"], "ace");
  EXPECT_EQ(f.record["cause"], "Exhaustion");
  EXPECT_EQ(f.record["subcause"], "none");
  EXPECT_EQ(Number(f, "size"), 20'000u);
  EXPECT_EQ(Number(f, "error"), uint64_t{ENOMEM});
  EXPECT_EQ(Number(f, "limit_bytes"), 4 * kMiB);
  EXPECT_EQ(Number(f, "limit_bytes"), f.set_limit);
  // What is held fills the limit but for less than a span of the pool.
  EXPECT_LE(Number(f, "live_bytes") + Number(f, "cached_bytes"),
            Number(f, "limit_bytes"));
  EXPECT_GT(Number(f, "live_bytes") + Number(f, "cached_bytes"),
            Number(f, "limit_bytes") - kMiB / 2);
  EXPECT_THAT(Explanation(f), EndsWith("raise HAKMEM_ACE_LIMIT_MB from 4"));
}

TEST_P(FailureScenariosTest, ARefusalWithoutALimit) {
  RecordedFailure f = Recorded("injected_mmap");
  EXPECT_EQ(f.record["entry"], "malloc");
  EXPECT_EQ(f.record["layer"], "large");
  EXPECT_EQ(f.record["cause"], "MapFail");
  EXPECT_EQ(f.record["subcause"], "unknown");
  EXPECT_EQ(Number(f, "error"), uint64_t{ENOMEM});
  EXPECT_GE(Number(f, "os_bytes"), 5 * kMiB);
  EXPECT_EQ(Number(f, "evidence_limit"), 0u);
  EXPECT_THAT(Explanation(f), HasSubstr("dmesg"));
}

TEST_P(FailureScenariosTest, SizesThatNoObjectHas) {
  ExpectThreshold("impossible_size", "malloc", uint64_t{PTRDIFF_MAX} + 1,
                  ENOMEM);
  ExpectThreshold("calloc_overflow", "calloc", SIZE_MAX, ENOMEM);
  ExpectThreshold("reallocarray_overflow", "reallocarray", SIZE_MAX, ENOMEM);
}

TEST_P(FailureScenariosTest, AnAlignmentThatIsNoPowerOfTwo) {
  RecordedFailure f =
      ExpectThreshold("odd_alignment", "posix_memalign", 100, EINVAL);
  EXPECT_EQ(Number(f, "alignment"), 48u);
  EXPECT_THAT(Explanation(f), HasSubstr("pass a power of two"));
}

// Possible by the rules of the language, but in no process.
TEST_P(FailureScenariosTest, AlignmentsBeyondTheAddressSpace) {
  RecordedFailure huge = Recorded("huge_alignment");
  EXPECT_EQ(huge.record["entry"], "aligned_alloc");
  EXPECT_EQ(huge.record["cause"], "MapFail");
  EXPECT_EQ(huge.record["subcause"], "address_space");
  EXPECT_EQ(Number(huge, "size"), 100u);
  EXPECT_EQ(Number(huge, "alignment"), uint64_t{1} << 62);
  EXPECT_LT(Number(huge, "evidence_limit"), Number(huge, "alignment"));
  EXPECT_GT(Number(huge, "evidence_used"), Number(huge, "evidence_limit"));

  RecordedFailure both = Recorded("huge_aligned_size");
  EXPECT_EQ(both.record["entry"], "memalign");
  EXPECT_EQ(both.record["cause"], "MapFail");
  EXPECT_EQ(both.record["subcause"], "address_space");
  EXPECT_EQ(Number(both, "size"), uint64_t{1} << 46);
  EXPECT_EQ(Number(both, "alignment"), uint64_t{1} << 46);
  EXPECT_GE(Number(both, "evidence_used"),
            Number(both, "evidence_limit") / 64 * 63);
}

INSTANTIATE_TEST_SUITE_P(Libraries, FailureScenariosTest,
                         testing::Combine(testing::Values("segment",
                                                          "superslab"),
                                          testing::Values("adaptive", "fixed")),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param)) + "_" +
                                  std::get<1>(info.param);
                         });

ProcessResult RunTool(const std::string& flag) {
  return RunProcess({.arguments = {std::getenv("HAKMEM_TEST_PROGRAM"), flag}});
}

TEST(FailureScenariosFlagsTest, BadOnesAreOneLine) {
  for (const char* const flag :
       {"--backend=none", "--ace=off", "--frobnicate", "word", "--ace"}) {
    const ProcessResult result = RunTool(flag);
    EXPECT_EQ(result.code, 2) << flag;
    EXPECT_EQ(result.output, "") << flag;
    EXPECT_THAT(result.errors,
                testing::MatchesRegex("failure_scenarios: [^\n]+\n"));
  }
  const ProcessResult help = RunTool("--help");
  EXPECT_TRUE(help.ok());
  EXPECT_THAT(help.output, HasSubstr("Example: failure_scenarios --backend="));
}

}  // namespace
}  // namespace hakmem::tools
