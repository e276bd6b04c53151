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
    EXPECT_EQ(f.entry, "malloc");
    EXPECT_EQ(f.layer, "large");
    EXPECT_EQ(f.cause, "MapFail");
    EXPECT_EQ(f.subcause, subcause);
    EXPECT_EQ(f.error, uint64_t{ENOMEM});
    EXPECT_EQ(f.size, 5 * kMiB);
    EXPECT_GE(f.os_bytes, f.size);
    EXPECT_NE(f.set_limit, 0u);
    EXPECT_EQ(f.evidence_limit, f.set_limit);
    return f;
  }

  static RecordedFailure ExpectThreshold(const char* name, const char* entry,
                                         uint64_t size, int error) {
    RecordedFailure f = Recorded(name);
    EXPECT_EQ(f.entry, entry);
    EXPECT_EQ(f.cause, "Threshold");
    EXPECT_EQ(f.subcause, "none");
    EXPECT_EQ(f.size, size);
    EXPECT_EQ(f.error, static_cast<uint64_t>(error));
    EXPECT_EQ(f.os_bytes, 0u) << "nothing was asked of the system";
    return f;
  }
};

TEST_P(FailureScenariosTest, TheLimitOnAddressSpace) {
  const RecordedFailure f = ExpectLimit("rlimit_as", "RLIMIT_AS");
  EXPECT_LE(f.evidence_used, f.evidence_limit);
  EXPECT_GT(f.evidence_used + f.os_bytes, f.evidence_limit);
  EXPECT_THAT(f.Explanation(), HasSubstr("raise RLIMIT_AS (ulimit -v)"));
}

TEST_P(FailureScenariosTest, TheLimitOnData) {
  const RecordedFailure f = ExpectLimit("rlimit_data", "RLIMIT_DATA");
  EXPECT_LE(f.evidence_used, f.evidence_limit);
  EXPECT_GT(f.evidence_used + f.os_bytes, f.evidence_limit);
  EXPECT_THAT(f.Explanation(), HasSubstr("raise RLIMIT_DATA (ulimit -d)"));
}

TEST_P(FailureScenariosTest, TheLimitOnMappings) {
  const RecordedFailure f = ExpectLimit("map_count", "max_map_count");
  uint64_t most = 0;
  std::ifstream("/proc/sys/vm/max_map_count") >> most;
  EXPECT_EQ(f.evidence_limit, most);
  // The kernel and /proc/self/maps count a few of its own differently.
  EXPECT_NEAR(static_cast<double>(f.evidence_used), static_cast<double>(most),
              8);
  EXPECT_THAT(f.Explanation(),
              HasSubstr("raise vm.max_map_count from " + std::to_string(most)));
}

TEST_P(FailureScenariosTest, TheLimitOfAce) {
  const RecordedFailure f = Recorded("ace_limit");
  EXPECT_EQ(f.entry, "malloc");
  EXPECT_EQ(f.layer, "ace");
  EXPECT_EQ(f.cause, "Exhaustion");
  EXPECT_EQ(f.subcause, "none");
  EXPECT_EQ(f.size, 20'000u);
  EXPECT_EQ(f.error, uint64_t{ENOMEM});
  EXPECT_EQ(f.limit_bytes, 4 * kMiB);
  EXPECT_EQ(f.limit_bytes, f.set_limit);
  // What is held fills the limit but for less than a span of the pool.
  EXPECT_LE(f.live_bytes + f.cached_bytes, f.limit_bytes);
  EXPECT_GT(f.live_bytes + f.cached_bytes, f.limit_bytes - kMiB / 2);
  EXPECT_THAT(f.Explanation(), EndsWith("raise HAKMEM_ACE_LIMIT_MB from 4"));
}

TEST_P(FailureScenariosTest, ARefusalWithoutALimit) {
  const RecordedFailure f = Recorded("injected_mmap");
  EXPECT_EQ(f.entry, "malloc");
  EXPECT_EQ(f.layer, "large");
  EXPECT_EQ(f.cause, "MapFail");
  EXPECT_EQ(f.subcause, "unknown");
  EXPECT_EQ(f.error, uint64_t{ENOMEM});
  EXPECT_GE(f.os_bytes, 5 * kMiB);
  EXPECT_EQ(f.evidence_limit, 0u);
  EXPECT_THAT(f.Explanation(), HasSubstr("dmesg"));
}

TEST_P(FailureScenariosTest, SizesThatNoObjectHas) {
  ExpectThreshold("impossible_size", "malloc", uint64_t{PTRDIFF_MAX} + 1,
                  ENOMEM);
  ExpectThreshold("calloc_overflow", "calloc", SIZE_MAX, ENOMEM);
  ExpectThreshold("reallocarray_overflow", "reallocarray", SIZE_MAX, ENOMEM);
}

TEST_P(FailureScenariosTest, AnAlignmentThatIsNoPowerOfTwo) {
  const RecordedFailure f =
      ExpectThreshold("odd_alignment", "posix_memalign", 100, EINVAL);
  EXPECT_EQ(f.alignment, 48u);
  EXPECT_THAT(f.Explanation(), HasSubstr("pass a power of two"));
}

// Possible by the rules of the language, but in no process.
TEST_P(FailureScenariosTest, AlignmentsBeyondTheAddressSpace) {
  const RecordedFailure huge = Recorded("huge_alignment");
  EXPECT_EQ(huge.entry, "aligned_alloc");
  EXPECT_EQ(huge.cause, "MapFail");
  EXPECT_EQ(huge.subcause, "address_space");
  EXPECT_EQ(huge.size, 100u);
  EXPECT_EQ(huge.alignment, uint64_t{1} << 62);
  EXPECT_LT(huge.evidence_limit, huge.alignment);
  EXPECT_GT(huge.evidence_used, huge.evidence_limit);

  const RecordedFailure both = Recorded("huge_aligned_size");
  EXPECT_EQ(both.entry, "memalign");
  EXPECT_EQ(both.cause, "MapFail");
  EXPECT_EQ(both.subcause, "address_space");
  EXPECT_EQ(both.size, uint64_t{1} << 46);
  EXPECT_EQ(both.alignment, uint64_t{1} << 46);
  EXPECT_GE(both.evidence_used, both.evidence_limit / 64 * 63);
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

TEST(RecordedFailureTest, TheExplanationIsWhatFollowsTheCause) {
  RecordedFailure f;
  f.cause = "MapFail";
  f.text =
      "failure 1, thread 2: malloc of 1 GiB: MapFail in large, ENOMEM: "
      "this: do that";
  EXPECT_EQ(f.Explanation(), "this: do that");
}

}  // namespace
}  // namespace hakmem::tools
