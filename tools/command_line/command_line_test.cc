#include "tools/command_line/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hakmem::tools {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// A program with one flag of each kind.
class CommandLineTest : public testing::Test {
 protected:
  CommandLineTest() {
    SetDefaults(app_);
    app_.add_option("--name", name_, "whom to greet\nand how")
        ->type_name("this|that")
        ->check(OneOf({"this", "that"}));
    app_.add_option("--count", count_, "how often")
        ->type_name("N")
        ->check(WholeNumber(1, 99));
    app_.add_flag("--log{-}", log_, "tell, here or in FILE")->type_name("FILE");
    app_.add_flag("--loud", loud_, "loudly")->disable_flag_override();
    app_.add_option("--each", "one of several")
        ->type_name("NAME=VALUE")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->each([this](const std::string& value) { each_.push_back(value); });
    app_.add_flag("--secret", secret_, "not told of")->group("");
  }

  std::string Error(const std::vector<std::string>& arguments) {
    const auto help = ParseCommandLine(app_, arguments);
    return std::string(help.status().message());
  }

  CLI::App app_{"greet [flags]: greets.", "greet"};
  std::string name_;
  uint64_t count_ = 0;
  std::string log_;
  bool loud_ = false;
  bool secret_ = false;
  std::vector<std::string> each_;
};

TEST_F(CommandLineTest, ValuesFollowBehindAnEqualsSignOrApart) {
  EXPECT_EQ(Error({"--name=that", "--count", "7", "--each=a=[b,c]", "--each",
                   "d=-e", "--loud"}),
            "");
  EXPECT_EQ(name_, "that");
  EXPECT_EQ(count_, 7u);
  EXPECT_EQ(log_, "");
  EXPECT_TRUE(loud_);
  EXPECT_THAT(each_, testing::ElementsAre("a=[b,c]", "d=-e"));
}

TEST_F(CommandLineTest, TheLastOneCounts) {
  EXPECT_EQ(Error({"--count=3", "--name=this", "--count=4"}), "");
  EXPECT_EQ(count_, 4u);
}

TEST_F(CommandLineTest, AFlagMayTakeAValueBehindAnEqualsSign) {
  EXPECT_EQ(Error({"--log", "--name=this"}), "");
  EXPECT_EQ(log_, "-");
  EXPECT_EQ(Error({"--log=true"}), "");
  EXPECT_EQ(log_, "true");
}

TEST_F(CommandLineTest, WhatIsWrongIsOneLine) {
  EXPECT_EQ(Error({"--name=other"}), "--name: other: wants this|that");
  EXPECT_EQ(Error({"--count=0"}),
            "--count: 0: wants a whole number from 1 to 99");
  EXPECT_EQ(Error({"--count=-1"}),
            "--count: -1: wants a whole number from 1 to 99");
  EXPECT_EQ(Error({"--count=1x"}),
            "--count: 1x: wants a whole number from 1 to 99");
  EXPECT_EQ(Error({"--frobnicate"}),
            "--frobnicate: unknown (--help lists the flags)");
  EXPECT_EQ(Error({"word"}), "word: unknown (--help lists the flags)");
  EXPECT_EQ(Error({"--name="}), "--name= wants a value");
  EXPECT_EQ(Error({"--log="}), "--log= wants a value");
  EXPECT_THAT(Error({"--count"}), HasSubstr("--count"));
  EXPECT_THAT(Error({"--loud=1"}), HasSubstr("loud"));
  EXPECT_THAT(Error({"--name=a\nb"}), Not(HasSubstr("\n")));
}

TEST_F(CommandLineTest, HelpTellsOfEachFlag) {
  const auto help = ParseCommandLine(app_, {"--help"});
  ASSERT_TRUE(help.ok());
  EXPECT_THAT(*help, AllOf(HasSubstr("greet [flags]: greets.\n"),
                           HasSubstr("  --name=this|that\n"
                                     "      whom to greet\n"
                                     "      and how\n"),
                           HasSubstr("  --count=N\n      how often\n"),
                           HasSubstr("  --log[=FILE]\n"),
                           HasSubstr("  --loud\n      loudly\n"),
                           HasSubstr("  --help\n      print this\n"),
                           Not(HasSubstr("secret"))));
}

TEST_F(CommandLineTest, FlagsEndWhereACommandBegins) {
  using Arguments = std::vector<std::string>;
  EXPECT_EQ(CountFlags(app_, Arguments{}), 0u);
  EXPECT_EQ(CountFlags(app_, Arguments{"ls", "--name=this"}), 0u);
  EXPECT_EQ(CountFlags(app_, Arguments{"--", "--name=this"}), 0u);
  EXPECT_EQ(CountFlags(app_, Arguments{"--loud", "ls"}), 1u);
  EXPECT_EQ(CountFlags(app_, Arguments{"--log", "ls"}), 1u);
  EXPECT_EQ(CountFlags(app_, Arguments{"--count", "7", "ls"}), 2u);
  EXPECT_EQ(CountFlags(app_, Arguments{"--count=7", "ls"}), 1u);
  EXPECT_EQ(CountFlags(app_, Arguments{"--loud", "--count"}), 2u);
}

}  // namespace
}  // namespace hakmem::tools
