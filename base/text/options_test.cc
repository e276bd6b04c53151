#include "base/text/options.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace hakmem::options {
namespace {

// Read() works once per process, so each case runs in its own process.
void ReadAndExpect(const char* variable, const char* text, Option option,
                   uint64_t expected) {
  setenv(variable, text, 1);
  Read();
  Read();  // the second call changes and prints nothing
  exit(Get(option) == expected ? 0 : 1);
}

TEST(Options, DefaultsAreWithinTheirRanges) {
  for (size_t i = 0; i < kCount; ++i) {
    const Description& d = Describe(static_cast<Option>(i));
    EXPECT_EQ(Get(static_cast<Option>(i)), d.fallback) << d.name;
    EXPECT_GE(d.fallback, d.least) << d.name;
    EXPECT_LE(d.fallback, d.most) << d.name;
    EXPECT_EQ(std::string(d.environment).rfind("HAKMEM_", 0), 0u);
    EXPECT_FALSE(std::string(d.doc).empty());
  }
}

TEST(Options, ParsesSizes) {
  uint64_t v = 0;
  EXPECT_TRUE(Parse(Type::kSize, "4096", &v) && v == 4096);
  EXPECT_TRUE(Parse(Type::kSize, "64K", &v) && v == 65536);
  EXPECT_TRUE(Parse(Type::kSize, "2m", &v) && v == 2097152);
  EXPECT_TRUE(Parse(Type::kSize, "1G", &v) && v == 1073741824);
}

TEST(Options, ParsesDurationsAndBools) {
  uint64_t v = 0;
  EXPECT_TRUE(Parse(Type::kDuration, "250", &v) && v == 250);
  EXPECT_TRUE(Parse(Type::kDuration, "250ms", &v) && v == 250);
  EXPECT_TRUE(Parse(Type::kDuration, "2s", &v) && v == 2000);
  EXPECT_TRUE(Parse(Type::kBool, "on", &v) && v == 1);
  EXPECT_TRUE(Parse(Type::kBool, "False", &v) && v == 0);
}

TEST(Options, RefusesWhatIsNotOneWholeValue) {
  uint64_t v = 99;
  for (const char* text : {"", "-1", " 1", "1 ", "x", "K", "1KK", "0x10", "1.5",
                           "18446744073709551616", "18446744073709551615K"}) {
    EXPECT_FALSE(Parse(Type::kSize, text, &v)) << text;
  }
  EXPECT_FALSE(Parse(Type::kDuration, "1m", &v));
  EXPECT_FALSE(Parse(Type::kBool, "2", &v));
  EXPECT_EQ(v, 99u);
}

TEST(Options, ParsesOutputs) {
  for (const char* off : {"0", "no", "off", "False"}) {
    uint64_t v = 99;
    EXPECT_TRUE(Parse(Type::kOutput, off, &v) && v == 0) << off;
  }
  for (const char* on :
       {"1", "yes", "on", "trace.log", "/var/log/x", "./1", "a b", "12x"}) {
    uint64_t v = 99;
    EXPECT_TRUE(Parse(Type::kOutput, on, &v) && v == 1) << on;
  }
  uint64_t v = 99;
  for (const std::string& text :
       {std::string(), std::string("2"), std::string("-1"), std::string(" "),
        std::string("1.5"), std::string("a\nb"), std::string(1024, 'x')}) {
    EXPECT_FALSE(Parse(Type::kOutput, text.c_str(), &v)) << text;
  }
  EXPECT_EQ(v, 99u);
}

TEST(OptionsDeathTest, AnOutputThatIsNoneIsReported) {
  EXPECT_EXIT(ReadAndExpect("HAKMEM_ACE_TRACE", "2", k_ace_trace, 0),
              testing::ExitedWithCode(0),
              "^hakmem\\[[0-9]+\\]: HAKMEM_ACE_TRACE=2 is ignored: not 0, 1 or "
              "the path of "
              "a file\n$");
}

TEST(OptionsDeathTest, AnOutputsPathIsKept) {
  const auto read = [](const char* text, const char* path) {
    if (*OutputPath(k_ace_trace) != '\0') exit(1);
    setenv("HAKMEM_ACE_TRACE", text, 1);
    Read();
    exit(OutputPath(k_ace_trace) == std::string(path) &&
                 *OutputPath(k_stats_at_exit) == '\0'
             ? 0
             : 1);
  };
  EXPECT_EXIT(read("/a/b", "/a/b"), testing::ExitedWithCode(0), "^$");
  EXPECT_EXIT(read("on", ""), testing::ExitedWithCode(0), "^$");
}

TEST(OptionsDeathTest, TheEnvironmentSetsThem) {
  EXPECT_EXIT(ReadAndExpect("HAKMEM_DECAY", "3s", k_decay, 3000),
              testing::ExitedWithCode(0), "^$");
}

TEST(OptionsDeathTest, ABadValueIsReportedOnceAndIgnored) {
  EXPECT_EXIT(ReadAndExpect("HAKMEM_DECAY", "soon", k_decay,
                            Describe(k_decay).fallback),
              testing::ExitedWithCode(0),
              "^hakmem\\[[0-9]+\\]: HAKMEM_DECAY=soon is ignored: not a "
              "duration from 0 to "
              "3600000\n$");
}

TEST(OptionsDeathTest, AMisspeltNameIsReportedOnce) {
  const auto said = [](const std::string& name) {
    return "^hakmem\\[[0-9]+\\]: " + name +
           " is not an option; HAKMEM_DECAY is\n$";
  };
  for (const std::string name :
       {"HAKMEM_DECAI", "HAKMEM_DEACY", "HAKMEM_DECAYS", "HAKMEM_DECA",
        "HAKMEM_XDECAYX"}) {
    EXPECT_EXIT(
        ReadAndExpect(name.c_str(), "0", k_decay, Describe(k_decay).fallback),
        testing::ExitedWithCode(0), said(name));
  }
}

TEST(OptionsDeathTest, OtherNamesAreNot) {
  for (const std::string& name :
       {std::string("HAKMEM_DE"), std::string("HAKMEM_"), std::string("HAKMEM"),
        std::string("HAKMEN_DECAY"), std::string("HAKMEM_HOME"),
        "HAKMEM_" + std::string(33, 'x'), "HAKMEM_" + std::string(5000, 'x')}) {
    EXPECT_EXIT(
        ReadAndExpect(name.c_str(), "0", k_decay, Describe(k_decay).fallback),
        testing::ExitedWithCode(0), "^$");
  }
}

TEST(OptionsDeathTest, AValueOutOfRangeIsReportedAndIgnored) {
  EXPECT_EXIT(
      ReadAndExpect("HAKMEM_SUPERSLAB_BYTES", "1G", k_superslab_bytes, 2097152),
      testing::ExitedWithCode(0),
      "^hakmem\\[[0-9]+\\]: HAKMEM_SUPERSLAB_BYTES=1G is igno");
}

}  // namespace
}  // namespace hakmem::options
