// Options from the environment, read through hakmem_option.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/blackbox/support/misuse_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

std::vector<hakmem_option_t> AllOptions() {
  std::vector<hakmem_option_t> all;
  hakmem_option_t option;
  while (Hakmem().option(all.size(), &option) == 1) all.push_back(option);
  return all;
}

// HAKMEM_<NAME>
std::string VariableOf(const hakmem_option_t& option) {
  std::string variable = "HAKMEM_";
  for (const char* at = option.name; *at != '\0'; ++at) {
    variable += static_cast<char>(toupper(*at));
  }
  return variable;
}

// Prints each option's name and current value, and works a little.
int PrintValues() {
  for (const hakmem_option_t& option : AllOptions()) {
    fprintf(stderr, "%s=%llu\n", option.name,
            static_cast<unsigned long long>(option.value));
  }
  std::vector<void*> blocks(1000);
  for (void*& block : blocks) block = malloc(1000);
  for (void* block : blocks) free(block);
  return 0;
}
const ChildProgram print_values("print_values", PrintValues);

std::string LineFor(const hakmem_option_t& option, uint64_t value) {
  return std::string(option.name) + "=" + std::to_string(value);
}

// What PrintValues prints when only `changed` differs from its default.
std::vector<std::string> ExpectedValues(const hakmem_option_t& changed,
                                        uint64_t value) {
  std::vector<std::string> lines;
  for (const hakmem_option_t& option : AllOptions()) {
    const bool is_changed = option.name == std::string(changed.name);
    lines.push_back(LineFor(option, is_changed ? value : option.fallback));
  }
  return lines;
}

bool HoldsLetter(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return isalpha(c) != 0; });
}

TEST(OptionsTest, EachHasNameTypeDefaultAndDoc) {
  const std::vector<hakmem_option_t> all = AllOptions();
  ASSERT_FALSE(all.empty());
  std::set<std::string> names;
  for (const hakmem_option_t& option : all) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name;
    for (const char* at = option.name; *at != '\0'; ++at) {
      EXPECT_TRUE(islower(*at) || isdigit(*at) || *at == '_') << option.name;
    }
    const std::string type = option.type;
    EXPECT_TRUE(type == "bool" || type == "size" || type == "number" ||
                type == "duration" || type == "format" || type == "output")
        << type;
    EXPECT_EQ(option.value, option.fallback) << option.name;
    EXPECT_GT(std::string(option.doc).size(), 10u) << option.name;
    if (type == "bool" || type == "output") {
      EXPECT_LE(option.value, 1u);
    }
  }
}

TEST(OptionsTest, PastTheEndThereIsNone) {
  hakmem_option_t option = {};
  EXPECT_EQ(Hakmem().option(AllOptions().size(), &option), 0);
  EXPECT_EQ(Hakmem().option(~size_t{0}, &option), 0);
  EXPECT_EQ(option.name, nullptr);
}

TEST(OptionsTest, WithoutAnyNothingIsSaid) {
  const ChildResult child = RunChildProgram("print_values");
  EXPECT_EQ(child.exit_code, 0);
  std::vector<std::string> expected;
  for (const hakmem_option_t& option : AllOptions()) {
    expected.push_back(LineFor(option, option.fallback));
  }
  EXPECT_EQ(Lines(child.err), expected);
}

TEST(OptionsTest, ABadValueIsReportedOnceAndIgnored) {
  for (const hakmem_option_t& option : AllOptions()) {
    for (const std::string bad : {"", "nonsense", "-1", "12x", "1.5", "0x", " ",
                                  "99999999999999999999", "1 2", "\n"}) {
      // Text that contains a letter is a file path.
      if (option.type == std::string("output") && HoldsLetter(bad)) continue;
      SCOPED_TRACE(VariableOf(option) + "='" + bad + "'");
      const ChildResult child =
          RunChildProgram("print_values", {{VariableOf(option), bad}});
      EXPECT_EQ(child.exit_code, 0) << child.err;
      std::vector<std::string> lines = Lines(child.err);
      ASSERT_FALSE(lines.empty());
      EXPECT_EQ(lines[0].rfind("hakmem:", 0), 0u) << child.err;
      EXPECT_NE(lines[0].find(VariableOf(option)), std::string::npos)
          << lines[0];
      lines.erase(lines.begin());
      EXPECT_EQ(lines, ExpectedValues(option, option.fallback));
    }
  }
}

// Removes and returns the first of `lines` that begins with `start`; "" if none
// does.
std::string TakeLine(std::vector<std::string>* lines,
                     const std::string& start) {
  for (auto line = lines->begin(); line != lines->end(); ++line) {
    if (line->rfind(start, 0) != 0) continue;
    std::string taken = *line;
    lines->erase(line);
    return taken;
  }
  return "";
}

// What the library says at the start when `option` is not its default, if this
// build ignores it.
std::string IgnoredLine(const hakmem_option_t& option) {
  const std::string name = option.name;
  const std::string start =
      "hakmem: " + VariableOf(option) + " is ignored: built ";
  if ((name == "quarantine" || name == "zero_on_free") &&
      LevelHere() != kFull) {
    return start + "without --//hardening=full";
  }
  return "";
}

// Runs PrintValues with `text` for `option`, and expects the value `value` and
// no other output but what the library says of that option.
void ExpectValue(const hakmem_option_t& option, const std::string& text,
                 uint64_t value) {
  SCOPED_TRACE(VariableOf(option) + "=" + text);
  const ChildResult child =
      RunChildProgram("print_values", {{VariableOf(option), text}});
  EXPECT_EQ(child.exit_code, 0) << child.err;
  std::vector<std::string> lines = Lines(child.err);
  if (option.name == std::string("stats_at_exit") && value == 1) {
    ASSERT_FALSE(lines.empty());
    const std::string& last = lines.back();
    EXPECT_TRUE(nlohmann::json::accept(last.substr(last.find('{')))) << last;
    lines.pop_back();
  }
  if (option.name == std::string("profile") && value == 1) {
    ASSERT_FALSE(lines.empty());
    EXPECT_EQ(lines.back(), "end");
    lines.erase(std::find(lines.begin(), lines.end(), "hakmem heap profile 1"),
                lines.end());
  }
  const std::string variable = "hakmem: " + VariableOf(option);
  EXPECT_EQ(TakeLine(&lines, variable),
            value == option.fallback || value == 0 ? "" : IgnoredLine(option));
  if (option.name == std::string("verbose") && value == 1) {
    EXPECT_NE(TakeLine(&lines, "hakmem: "), "");
  }
  EXPECT_EQ(lines, ExpectedValues(option, value));
}

TEST(OptionsTest, AGoodValueIsInForce) {
  for (const hakmem_option_t& option : AllOptions()) {
    const std::string type = option.type;
    if (type == "bool" || type == "output") {
      for (const char* yes : {"1", "true", "yes", "on", "ON"}) {
        ExpectValue(option, yes, 1);
      }
      for (const char* no : {"0", "false", "no", "off", "Off"}) {
        ExpectValue(option, no, 0);
      }
    } else if (type == "format") {
      ExpectValue(option, "auto", 0);
      ExpectValue(option, "text", 1);
      ExpectValue(option, "JSON", 2);
    } else {
      const std::string number = std::to_string(option.fallback);
      ExpectValue(option, number, option.fallback);
      if (type == "duration") {
        ExpectValue(option, number + "ms", option.fallback);
      } else if (type == "size" && option.fallback % 1024 == 0) {
        ExpectValue(option, std::to_string(option.fallback / 1024) + "K",
                    option.fallback);
      }
    }
  }
}

TEST(OptionsTest, TheStatisticsAtExitMayGoToAFile) {
  std::string folder = testing::TempDir() + "/options_test_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/statistics";
  for (int run = 1; run <= 2; ++run) {
    const ChildResult child =
        RunChildProgram("print_values", {{"HAKMEM_STATS_AT_EXIT", path}});
    EXPECT_EQ(child.exit_code, 0);
    EXPECT_EQ(child.err.find('{'), std::string::npos) << child.err;
    std::ifstream file(path);
    const std::vector<std::string> lines =
        Lines({std::istreambuf_iterator<char>(file), {}});
    ASSERT_EQ(lines.size(), static_cast<size_t>(run));
    EXPECT_TRUE(nlohmann::json::accept(lines.back())) << lines.back();
  }
  std::filesystem::remove_all(folder);
}

TEST(OptionsTest, AFileThatCannotBeOpenedIsOneLine) {
  const ChildResult child = RunChildProgram(
      "print_values", {{"HAKMEM_STATS_AT_EXIT", "/nonexistent/file"}});
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(Lines(child.err).back(),
            "hakmem: HAKMEM_STATS_AT_EXIT: cannot open (ENOENT), so nothing is "
            "written to /nonexistent/file");
}

TEST(OptionsTest, VerboseIsOneLineOfWhatIsThere) {
  const ChildResult child = RunChildProgram(
      "print_values", {{"HAKMEM_VERBOSE", "1"}, {"HAKMEM_DECAY", "2s"}});
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(Lines(child.err).front(),
            "hakmem: " + std::string(Hakmem().version()) + " in " +
                LibraryPath() + "; HAKMEM_DECAY=2000");
  constexpr const char* kLevels[] = {"off", "checks", "full"};
  EXPECT_NE(std::string(Hakmem().version())
                .find(std::string(", hardening ") + kLevels[LevelHere()] +
                      ", tracing on)"),
            std::string::npos);
}

TEST(OptionsTest, AMisspeltOptionIsOneLine) {
  const ChildResult child =
      RunChildProgram("print_values", {{"HAKMEM_DECAI", "0"}});
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(Lines(child.err).front(),
            "hakmem: HAKMEM_DECAI is not an option; HAKMEM_DECAY is");
  EXPECT_EQ(Lines(child.err).size(), AllOptions().size() + 1) << child.err;
}

TEST(OptionsTest, TwoBadValuesAreTwoLines) {
  const std::vector<hakmem_option_t> all = AllOptions();
  ASSERT_GE(all.size(), 2u);
  const ChildResult child = RunChildProgram(
      "print_values",
      {{VariableOf(all[0]), "bad"}, {VariableOf(all[1]), "bad"}});
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(Lines(child.err).size(), all.size() + 2) << child.err;
}

}  // namespace
}  // namespace hakmem_test
