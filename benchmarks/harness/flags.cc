#include "benchmarks/harness/flags.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hakmem::bench {
namespace {

absl::Status Bad(const std::string& message) {
  return absl::InvalidArgumentError(message);
}

}  // namespace

Flag SwitchFlag(std::string name, std::string help, bool& target) {
  return {std::move(name), "", std::move(help),
          [&target](std::string_view) { return target = true; }};
}

absl::Status ParseFlags(const std::vector<std::string_view>& arguments,
                        const std::vector<Flag>& flags) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    const size_t equals = argument.find('=');
    const auto flag =
        std::find_if(flags.begin(), flags.end(), [&](const Flag& each) {
          return each.name == argument.substr(0, equals);
        });
    if (flag == flags.end()) {
      return Bad(absl::StrCat(argument, ": unknown flag (--help lists them)"));
    }
    std::string_view value;
    if (flag->value.empty()) {
      if (equals != std::string_view::npos) {
        return Bad(absl::StrCat(flag->name, " takes no value"));
      }
    } else if (equals != std::string_view::npos) {
      value = argument.substr(equals + 1);
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    }
    if (!flag->parse(value)) {
      return Bad(absl::StrCat(flag->name, "=", value, ": wants ", flag->value));
    }
  }
  return absl::OkStatus();
}

std::string FlagsHelp(const std::vector<Flag>& flags) {
  std::string text;
  for (const Flag& flag : flags) {
    std::string form = flag.name;
    if (!flag.value.empty()) absl::StrAppend(&form, " <", flag.value, ">");
    absl::StrAppend(&text, "  ", form, "\n");
    for (const std::string_view line : absl::StrSplit(flag.help, '\n')) {
      absl::StrAppend(&text, "      ", line, "\n");
    }
  }
  return text;
}

bool ParseNumber(std::string_view text, uint64_t low, uint64_t high,
                 uint64_t& number) {
  return absl::SimpleAtoi(text, &number) && number >= low && number <= high;
}

bool ParseNumbers(std::string_view text, uint64_t low, uint64_t high,
                  std::vector<uint64_t>& numbers) {
  numbers.clear();
  for (const std::string_view item : absl::StrSplit(text, ',')) {
    if (!ParseNumber(item, low, high, numbers.emplace_back())) return false;
  }
  std::sort(numbers.begin(), numbers.end());
  return std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end();
}

bool IsName(std::string_view name) {
  static constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
  return !name.empty() && name.size() <= 24 &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

bool ParseNames(std::string_view text, std::vector<std::string>& names) {
  names = absl::StrSplit(text, ',');
  return std::all_of(names.begin(), names.end(), IsName);
}

}  // namespace hakmem::bench
