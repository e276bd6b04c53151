#include "benchmarks/harness/options.h"

#include <stdlib.h>

#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

using Arguments = std::vector<std::string>;
using Numbers = std::vector<uint64_t>;

std::optional<Options> Parse(const Arguments& arguments, uint64_t cores = 2,
                             const std::string& suite = "default") {
  std::string error;
  std::optional<Options> options = ParseOptions(arguments, suite, cores, error);
  EXPECT_EQ(options.has_value(), error.empty()) << error;
  return options;
}

std::string ErrorOf(const Arguments& arguments) {
  std::string error;
  EXPECT_FALSE(ParseOptions(arguments, "default", 2, error).has_value());
  return error;
}

TEST(ParseOptions, Defaults) {
  const auto options = Parse({}, 2);
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->sets, Numbers({256, 8192}));
  EXPECT_EQ(options->threads, Numbers({1, 2}));
  EXPECT_GE(options->repeats, 5u);
  EXPECT_GT(options->seconds, 0u);
  EXPECT_TRUE(options->only.empty());
  EXPECT_TRUE(options->peers.empty());
  EXPECT_TRUE(options->out.empty());
  // On one core there is one number of threads, once.
  EXPECT_EQ(Parse({}, 1)->threads, Numbers({1}));
}

TEST(ParseOptions, AllFlagsInBothForms) {
  const Arguments with_equals = {
      "--sets=8192,64", "--threads=2,1", "--repeats=7",
      "--ops=1000",     "--seconds=9",   "--only=glibc,segment",
      "--peer=a=/x.so", "--peer=b=/y=z", "--out=here"};
  const Arguments apart = {
      "--sets", "8192,64", "--threads", "2,1",    "--repeats", "7",
      "--ops",  "1000",    "--seconds", "9",      "--only",    "glibc,segment",
      "--peer", "a=/x.so", "--peer",    "b=/y=z", "--out",     "here"};
  for (const Arguments& arguments : {with_equals, apart}) {
    const auto options = Parse(arguments, 4);
    ASSERT_TRUE(options.has_value());
    EXPECT_EQ(options->sets, Numbers({64, 8192}));
    EXPECT_EQ(options->threads, Numbers({1, 2}));
    EXPECT_EQ(options->repeats, 7u);
    EXPECT_EQ(options->operations, 1000u);
    EXPECT_EQ(options->seconds, 9u);
    EXPECT_EQ(options->only, std::vector<std::string>({"glibc", "segment"}));
    ASSERT_EQ(options->peers.size(), 2u);
    EXPECT_EQ(options->peers[0].name, "a");
    EXPECT_EQ(options->peers[0].library, "/x.so");
    EXPECT_EQ(options->peers[1].library, "/y=z");
    EXPECT_EQ(options->out, "here");
  }
}

TEST(ParseOptions, QuickIsShorterButYieldsToWhatIsGiven) {
  const auto usual = Parse({}, 2);
  const auto quick = Parse({"--quick"}, 2);
  const auto mixed = Parse({"--repeats=20", "--quick"}, 2);
  ASSERT_TRUE(quick.has_value() && mixed.has_value());
  EXPECT_LT(quick->repeats * quick->operations,
            usual->repeats * usual->operations / 10);
  EXPECT_EQ(mixed->repeats, 20u);
  EXPECT_EQ(mixed->operations, quick->operations);
}

TEST(ParseOptions, RepeatsThatAreAskedForHaveNoTimeLimit) {
  EXPECT_EQ(Parse({"--repeats=100"}, 2)->seconds, 0u);
  EXPECT_EQ(Parse({"--repeats=100", "--seconds=5"}, 2)->seconds, 5u);
}

TEST(ParseOptions, BadInputIsOneLineThatNamesIt) {
  for (const Arguments& bad : std::vector<Arguments>{{"--unknown"},
                                                     {"--unknown=1"},
                                                     {"-x"},
                                                     {"256"},
                                                     {""},
                                                     {"--sets="},
                                                     {"--sets=100"},
                                                     {"--sets=256,"},
                                                     {"--sets=256,256"},
                                                     {"--sets=1"},
                                                     {"--sets=-2"},
                                                     {"--sets=134217728"},
                                                     {"--threads=0"},
                                                     {"--threads=x"},
                                                     {"--threads=1,1"},
                                                     {"--threads=9999"},
                                                     {"--repeats=0"},
                                                     {"--repeats=1.5"},
                                                     {"--repeats"},
                                                     {"--ops=0"},
                                                     {"--ops=1e6"},
                                                     {"--seconds=-1"},
                                                     {"--seconds=soon"},
                                                     {"--only="},
                                                     {"--only=a,,b"},
                                                     {"--only=a b"},
                                                     {"--peer"},
                                                     {"--peer="},
                                                     {"--peer=name"},
                                                     {"--peer=name="},
                                                     {"--peer==/x.so"},
                                                     {"--peer=a/b=/x"},
                                                     {"--out="},
                                                     {"--peer-env=x"},
                                                     {"--peer-env=x:"},
                                                     {"--peer-env=x:A"},
                                                     {"--peer-env=x:=1"},
                                                     {"--peer-env=:A=1"},
                                                     {"--suite=half"},
                                                     {"--suite="},
                                                     {"--kinds=big"},
                                                     {"--kinds=small,"},
                                                     {"--workloads="},
                                                     {"--effort=0"},
                                                     {"--against="},
                                                     {"--quick=1"},
                                                     {"--help=no"}}) {
    const std::string message = ErrorOf(bad);
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    const std::string name = bad[0].substr(0, bad[0].find('='));
    EXPECT_NE(message.find(name), std::string::npos) << message;
  }
}

TEST(ParseOptions, SuitesHaveDefaultsOfTheirOwn) {
  const auto quick = Parse({"--suite=quick"}, 2);
  const auto full = Parse({"--suite=full"}, 2);
  ASSERT_TRUE(quick.has_value() && full.has_value());
  EXPECT_EQ(quick->repeats, 3u);
  EXPECT_EQ(quick->effort, 25u);
  EXPECT_EQ(full->repeats, 5u);
  EXPECT_EQ(full->effort, 100u);
  EXPECT_EQ(full->seconds, 3000u);
  EXPECT_GT(ChosenCases(*full).size(), 2 * ChosenCases(*quick).size());
  const auto longer = Parse(
      {"--suite", "full", "--repeats=20", "--effort=50", "--against=o.json"},
      2);
  ASSERT_TRUE(longer.has_value());
  EXPECT_EQ(longer->repeats, 20u);
  EXPECT_EQ(longer->seconds, 0u);
  EXPECT_EQ(longer->effort, 50u);
  EXPECT_EQ(longer->against, "o.json");
}

TEST(ParseOptions, KindsAndWorkloadsChooseParts) {
  const auto kinds = Parse({"--suite=full", "--kinds=start,large"}, 2);
  ASSERT_TRUE(kinds.has_value());
  EXPECT_EQ(ChosenCases(*kinds).size(), 9u + 2);
  const auto names = Parse({"--suite=full", "--workloads=redis,map"}, 2);
  ASSERT_TRUE(names.has_value());
  ASSERT_EQ(ChosenCases(*names).size(), 2u);
  EXPECT_EQ(ChosenCases(*names)[0].key, "map");
  EXPECT_NE(ErrorOf({"--suite=full", "--kinds=small", "--workloads=redis"}),
            "");
  // Quick has not all of them.
  EXPECT_NE(ErrorOf({"--suite=quick", "--workloads=grow-in-order-same"})
                .find("grow-in-order-same"),
            std::string::npos);
}

TEST(ParseOptions, TheGridAndTheCatalogueHaveOptionsOfTheirOwn) {
  for (const Arguments& bad :
       std::vector<Arguments>{{"--sets=64", "--suite=quick"},
                              {"--threads=1", "--suite=full"},
                              {"--ops=100", "--suite=ace"},
                              {"--kinds=small"},
                              {"--workloads=map"}}) {
    const std::string message = ErrorOf(bad);
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    const std::string name = bad[0].substr(0, bad[0].find('='));
    EXPECT_EQ(message.find(name), 0u) << message;
  }
}

TEST(ParseOptions, TheSuiteAceHasSixWorkloads) {
  const auto usual = Parse({}, 2, "ace");
  ASSERT_TRUE(usual.has_value());
  EXPECT_EQ(ChosenCases(*usual).size(), 6u);
  EXPECT_EQ(usual->effort, 100u);
  EXPECT_EQ(usual->repeats, 9u);
  const auto quick = Parse({"--suite=ace", "--quick"});
  ASSERT_TRUE(quick.has_value());
  EXPECT_LT(quick->effort * quick->repeats, usual->effort * usual->repeats / 5);
  const auto some = Parse({"--workloads=realloc,bursts"}, 2, "ace");
  ASSERT_TRUE(some.has_value());
  ASSERT_EQ(ChosenCases(*some).size(), 2u);
  EXPECT_EQ(ChosenCases(*some)[0].key, "bursts");
  EXPECT_EQ(ChosenCases(*some)[0].every, 3u);
  EXPECT_NE(
      ErrorOf({"--suite=ace", "--workloads=large-blocks"}).find("large-blocks"),
      std::string::npos);
}

TEST(ParseOptions, EffortScalesTheGrid) {
  const auto half = Parse({"--effort=50"});
  ASSERT_TRUE(half.has_value());
  EXPECT_EQ(half->operations, 10'000'000u);
  EXPECT_EQ(half->effort, 50u);
  // So that runs of different work are not compared.
  EXPECT_EQ(Parse({"--ops=2000000"})->effort, 10u);
}

TEST(ParseOptions, PeersMayNeedAnEnvironment) {
  const auto options =
      Parse({"--peer-env=x:GLIBC_TUNABLES=glibc.pthread.rseq=0", "--peer-env",
             "x:EMPTY="},
            2);
  ASSERT_TRUE(options.has_value());
  ASSERT_EQ(options->peer_variables.size(), 2u);
  EXPECT_EQ(options->peer_variables[0].peer, "x");
  EXPECT_EQ(options->peer_variables[0].variable,
            "GLIBC_TUNABLES=glibc.pthread.rseq=0");
  EXPECT_EQ(options->peer_variables[1].variable, "EMPTY=");
}

TEST(ParseOptions, HelpNamesEveryOption) {
  const std::string help = Parse({"--help"})->help;
  for (const char* const flag :
       {"--sets", "--threads", "--repeats", "--ops", "--seconds", "--only",
        "--peer", "--out", "--quick", "--help", "--suite", "--kinds",
        "--workloads", "--effort", "--against", "--peer-env"}) {
    EXPECT_NE(help.find(flag), std::string::npos) << flag;
  }
}

TEST(UserPath, IsRelativeToWhereTheCommandWasTyped) {
  setenv("BUILD_WORKING_DIRECTORY", "/typed/here", 1);
  EXPECT_EQ(UserPath("x/y.so"), "/typed/here/x/y.so");
  EXPECT_EQ(UserPath("/abs/y.so"), "/abs/y.so");
  unsetenv("BUILD_WORKING_DIRECTORY");
  EXPECT_EQ(UserPath("/abs/y.so"), "/abs/y.so");
  EXPECT_EQ(UserPath("y.so").front(), '/');
}

}  // namespace
}  // namespace hakmem::bench
