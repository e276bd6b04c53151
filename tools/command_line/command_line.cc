#include "tools/command_line/command_line.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace hakmem::tools {
namespace {

// "--flag=VALUE" on a line, below it what it does. How a program is called is
// told by its footer.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App*, std::string) const override {
    return "";
  }

  std::string make_subcommand(const CLI::App* app) const override {
    return absl::StrCat("  ", app->get_name(), "\n      ",
                        app->get_description(), "\n");
  }

  std::string make_option(const CLI::Option* option, bool) const override {
    std::string value = option->get_type_name();
    if (!value.empty()) {
      value = TakesValue(*option) ? absl::StrCat("=", value)
                                  : absl::StrCat("[=", value, "]");
    }
    const std::string help =
        absl::StrReplaceAll(option->get_description(), {{"\n", "\n      "}});
    return absl::StrCat("  ", option->get_name(), value, "\n      ", help,
                        "\n");
  }

  static bool TakesValue(const CLI::Option& option) {
    return option.get_items_expected_min() > 0;
  }
};

absl::Status Bad(std::string_view message) {
  return absl::InvalidArgumentError(
      absl::StrReplaceAll(message, {{"\n", " "}}));
}

}  // namespace

void SetDefaults(CLI::App& app) {
  app.formatter(std::make_shared<HelpFormatter>());
  app.option_defaults()->group("Flags");
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.set_help_flag("--help", "print this");
}

CLI::Validator Wants(const std::string& wants,
                     std::function<bool(const std::string&)> is_good) {
  // Without a description of its own, which would stand in --help.
  return CLI::Validator(
      [wants, is_good = std::move(is_good)](const std::string& value) {
        return is_good(value) ? "" : absl::StrCat(value, ": wants ", wants);
      },
      "");
}

CLI::Validator OneOf(const std::vector<std::string>& names) {
  return Wants(absl::StrJoin(names, "|"), [names](const std::string& value) {
    return std::find(names.begin(), names.end(), value) != names.end();
  });
}

CLI::Validator WholeNumber(uint64_t low, uint64_t high) {
  return Wants(absl::StrCat("a whole number from ", low, " to ", high),
               [low, high](const std::string& value) {
                 uint64_t number = 0;
                 return absl::SimpleAtoi(value, &number) && number >= low &&
                        number <= high;
               });
}

size_t CountFlags(const CLI::App& app, std::span<const std::string> arguments) {
  size_t count = 0;
  while (count < arguments.size()) {
    const std::string& argument = arguments[count];
    if (!absl::StartsWith(argument, "-") || argument == "--") break;
    const CLI::Option* const option = app.get_option_no_throw(argument);
    const bool value_follows =
        option != nullptr && HelpFormatter::TakesValue(*option);
    count += value_follows ? 2 : 1;
  }
  return std::min(count, arguments.size());
}

absl::StatusOr<std::string> ParseCommandLine(
    CLI::App& app, const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    // CLI11 would look for the value in the next argument.
    if (absl::StartsWith(argument, "--") &&
        argument.find('=') == argument.size() - 1) {
      return Bad(absl::StrCat(argument, " wants a value"));
    }
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    std::string help = app.help();
    absl::StripTrailingAsciiWhitespace(&help);
    return help + "\n";
  } catch (const CLI::ExtrasError&) {
    const std::vector<std::string> extras = app.remaining(/*recurse=*/true);
    return Bad(absl::StrCat(extras.empty() ? "an argument" : extras[0],
                            ": unknown (--help lists the flags)"));
  } catch (const CLI::Error& error) {
    return Bad(error.what());
  }
  return "";
}

bool ParseOrExplain(CLI::App& app, const std::vector<std::string>& arguments,
                    int& status) {
  const absl::StatusOr<std::string> help = ParseCommandLine(app, arguments);
  status = help.ok() ? 0 : 2;
  if (!help.ok()) {
    std::cerr << app.get_name() << ": " << help.status().message() << std::endl;
    return false;
  }
  std::cout << *help << std::flush;
  return help->empty();
}

std::filesystem::path UserDirectory() {
  for (const char* const name :
       {"BAZELW_CALLED_IN", "BUILD_WORKING_DIRECTORY"}) {
    const char* const typed_in = std::getenv(name);
    if (typed_in != nullptr) return typed_in;
  }
  std::error_code ignored;
  return std::filesystem::current_path(ignored);
}

}  // namespace hakmem::tools
