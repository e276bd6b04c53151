#include "tools/hakmem/run_flags.h"

#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/text/options.h"
#include "tools/command_line/command_line.h"

namespace hakmem::tools {
namespace {

// Why `value` is none of the option's; empty when it is.
std::string Problem(const options::Description& option,
                    const std::string& value) {
  uint64_t parsed = 0;
  if (options::Parse(option.type, value.c_str(), &parsed) &&
      parsed >= option.least && parsed <= option.most) {
    return "";
  }
  return absl::StrCat(value, ": not a ", options::TypeName(option.type),
                      " from ", option.least, " to ", option.most);
}

// The option called `name`, in lower or upper case, with or without HAKMEM_
// before it; null when there is none.
const options::Description* FindOption(std::string_view name) {
  std::string lower = absl::AsciiStrToLower(name);
  if (absl::StartsWith(lower, "hakmem_")) lower = lower.substr(7);
  for (size_t i = 0; i < options::kCount; ++i) {
    const options::Description& option =
        options::Describe(static_cast<options::Option>(i));
    if (lower == option.name) return &option;
  }
  return nullptr;
}

// Sets an option of the library by "NAME=value". The error, or an empty string.
std::string SetOption(const std::string& setting, RunFlags& flags) {
  const size_t equals = setting.find('=');
  if (equals == std::string::npos) {
    return absl::StrCat(setting, ": wants NAME=VALUE");
  }
  const std::string name = setting.substr(0, equals);
  const std::string value = setting.substr(equals + 1);
  const options::Description* const option = FindOption(name);
  if (option == nullptr) {
    return absl::StrCat(name,
                        ": no such option (docs/guide/options.md lists them)");
  }
  const std::string_view known = option->name;
  if (known == "stats_at_exit" || known == "stats_at_begin" ||
      known == "ace_trace") {
    return absl::StrCat(name, ": that is --",
                        known == "ace_trace" ? "trace" : "stats");
  }
  const std::string problem = Problem(*option, value);
  if (!problem.empty()) return absl::StrCat(name, "=", problem);
  flags.options.push_back(absl::StrCat(option->environment, "=", value));
  return "";
}

// A validator that sets an option of the library from a flag's value.
CLI::Validator Sets(std::string option, RunFlags& flags) {
  return CLI::Validator(
      [option = std::move(option), &flags](const std::string& value) {
        return SetOption(absl::StrCat(option, value), flags);
      },
      "");
}

}  // namespace

CLI::App* AddRun(CLI::App& app, RunFlags& flags) {
  CLI::App* const run = app.add_subcommand(
      "run",
      "runs a command on HAKMEM, and says which requests failed and why");
  run->footer(
      "Usage: hakmem [run] [flags] -- command [arguments]\n"
      "The command has its own streams and exit status; what is said about it\n"
      "goes to stderr when it has ended.\n"
      "Example: hakmem run --backend=superslab --stats -- python3 app.py");
  run->add_option("--backend", flags.backend,
                  "where small blocks come from (default segment)")
      ->type_name("segment|superslab")
      ->check(OneOf({"segment", "superslab"}));
  run->add_option(
         "--ace", flags.ace,
         "the pool for sizes above 2 KiB (default adaptive); the others\n"
         "are in //tools:hakmem_all")
      ->type_name("adaptive|fixed|off")
      ->check(OneOf({"adaptive", "fixed", "off"}));
  run->add_option(
         "--hardening", flags.hardening,
         "what is checked at each free (default off); installed, or in\n"
         "//tools:hakmem_all")
      ->type_name("off|checks|full")
      ->check(OneOf({"off", "checks", "full"}));
  run->add_flag("--stats", flags.stats,
                "print a table of what each process held when it ended")
      ->disable_flag_override();
  run->add_flag("--trace{-}", flags.trace,
                "log requests that fail as they do, on stderr or as JSON lines "
                "in FILE")
      ->type_name("FILE");
  run->add_flag_callback(
         "--stack", [&flags] { SetOption("ace_trace_stack=1", flags); },
         "and where in the program")
      ->disable_flag_override();
  run->add_option("--ace-limit-mb",
                  "most MiB that ACE may hold; blocks up to 2 KiB and above 1 "
                  "MiB are not\ncounted")
      ->type_name("N")
      ->check(Sets("ace_limit_mb=", flags));
  // The flag's first name, which promised more than it does.
  run->add_option("--limit-mb")
      ->group("")
      ->check(Sets("ace_limit_mb=", flags))
      ->each([&flags](const std::string&) {
        flags.warning =
            "--limit-mb, now called --ace-limit-mb, bounds what ACE holds: "
            "blocks up to 2 KiB and above 1 MiB are not counted";
      });
  run->add_option("--option",
                  "any option of the library, e.g. decay=10ms; may be repeated")
      ->type_name("NAME=VALUE")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->check(Sets("", flags));
  return run;
}

}  // namespace hakmem::tools
