#include "tools/hakmem/hakmem_flags.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/text/options.h"

namespace hakmem::tools {
namespace {

using Value = std::optional<std::string_view>;  // none: the flag stood alone

absl::Status Bad(const std::string& message) {
  return absl::InvalidArgumentError(message);
}

// Sets an option of the library; `name` in lower or upper case, with or without
// HAKMEM_ before it.
absl::Status SetOption(std::string_view name, std::string_view value,
                       HakmemFlags& flags) {
  std::string lower = absl::AsciiStrToLower(std::string(name));
  if (absl::StartsWith(lower, "hakmem_")) lower = lower.substr(7);
  for (size_t i = 0; i < options::kCount; ++i) {
    const options::Description& d =
        options::Describe(static_cast<options::Option>(i));
    if (lower != d.name) continue;
    if (lower == "stats_at_exit" || lower == "ace_trace") {
      return Bad(absl::StrCat("--option ", name, ": that is --",
                              lower == "ace_trace" ? "trace" : "stats"));
    }
    uint64_t parsed = 0;
    const std::string text(value);
    if (!options::Parse(d.type, text.c_str(), &parsed) || parsed < d.least ||
        parsed > d.most) {
      return Bad(absl::StrCat("--option ", name, "=", value, ": not a ",
                              options::TypeName(d.type), " from ", d.least,
                              " to ", d.most));
    }
    flags.options.emplace_back(d.environment, text);
    return absl::OkStatus();
  }
  return Bad(absl::StrCat("--option ", name,
                          ": no such option (README.md lists them)"));
}

absl::Status SetBackend(Value value, HakmemFlags& flags) {
  flags.backend = std::string(*value);
  if (*value == "segment" || *value == "superslab") return absl::OkStatus();
  return Bad(
      absl::StrCat("--backend=", *value, ": there are segment and superslab"));
}

absl::Status SetAce(Value value, HakmemFlags& flags) {
  flags.ace = std::string(*value);
  if (*value == "adaptive" || *value == "fixed" || *value == "off") {
    return absl::OkStatus();
  }
  return Bad(
      absl::StrCat("--ace=", *value, ": there are adaptive, fixed and off"));
}

absl::Status SetTrace(Value value, HakmemFlags& flags) {
  flags.trace = true;
  if (!value) return absl::OkStatus();
  flags.trace_file = std::string(*value);
  return value->empty() ? Bad("--trace= wants a file") : absl::OkStatus();
}

absl::Status SetAceLimit(Value value, HakmemFlags& flags) {
  if (SetOption("ace_limit_mb", *value, flags).ok()) return absl::OkStatus();
  return Bad(
      absl::StrCat("--ace-limit-mb=", *value, ": wants a number of MiB"));
}

// The flag's first name, which promised more than it does.
absl::Status SetLimit(Value value, HakmemFlags& flags) {
  flags.warning =
      "--limit-mb, now called --ace-limit-mb, bounds what ACE holds: blocks "
      "up to 2 KiB and above 1 MiB are not counted";
  return SetAceLimit(value, flags);
}

absl::Status SetOneOption(Value value, HakmemFlags& flags) {
  const size_t equals = value->find('=');
  if (equals == std::string_view::npos) {
    return Bad(absl::StrCat("--option ", *value, ": wants NAME=VALUE"));
  }
  return SetOption(value->substr(0, equals), value->substr(equals + 1), flags);
}

struct Flag {
  enum Takes { kNothing, kMaybe, kValue };

  std::string_view name;
  Takes takes;
  std::string_view value;  // what it takes, for people
  absl::Status (*set)(Value value, HakmemFlags& flags);
  std::string_view help;  // empty: not told of
};

const Flag kFlags[] = {
    {"--backend", Flag::kValue, "segment|superslab", SetBackend,
     "where small blocks come from (default segment)"},
    {"--ace", Flag::kValue, "adaptive|fixed|off", SetAce,
     "the pool for sizes above 2 KiB (default adaptive)"},
    {"--stats", Flag::kNothing, "",
     [](Value, HakmemFlags& flags) {
       flags.stats = true;
       return absl::OkStatus();
     },
     "print a table of what each process held when it ended"},
    {"--trace", Flag::kMaybe, "FILE", SetTrace,
     "tell of requests that fail as they do, on stderr or in FILE"},
    {"--stack", Flag::kNothing, "",
     [](Value, HakmemFlags& flags) {
       return SetOption("ace_trace_stack", "1", flags);
     },
     "and where in the program"},
    {"--ace-limit-mb", Flag::kValue, "N", SetAceLimit,
     "most MiB that ACE may hold; blocks up to 2 KiB and above 1 MiB are not "
     "counted"},
    {"--limit-mb", Flag::kValue, "N", SetLimit, ""},
    {"--option", Flag::kValue, "NAME=VALUE", SetOneOption,
     "any option of the library, e.g. decay=10ms; may be repeated"},
    {"--help", Flag::kNothing, "",
     [](Value, HakmemFlags& flags) {
       flags.help = true;
       return absl::OkStatus();
     },
     "print this"},
};

}  // namespace

absl::StatusOr<HakmemFlags> ParseHakmemFlags(
    const std::vector<std::string_view>& arguments) {
  HakmemFlags flags;
  size_t next = 0;
  while (next < arguments.size() && absl::StartsWith(arguments[next], "-")) {
    const std::string_view argument = arguments[next++];
    if (argument == "--") break;
    const size_t equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    const auto* const flag =
        std::find_if(std::begin(kFlags), std::end(kFlags),
                     [&](const Flag& each) { return each.name == name; });
    if (flag == std::end(kFlags)) {
      return Bad(absl::StrCat(argument, ": unknown flag (--help lists them)"));
    }
    Value value;
    if (equals != std::string_view::npos) {
      value = argument.substr(equals + 1);
    } else if (flag->takes == Flag::kValue && next < arguments.size()) {
      value = arguments[next++];
    }
    if (flag->takes == Flag::kNothing && value) {
      return Bad(absl::StrCat(name, " takes no value"));
    }
    if (flag->takes == Flag::kValue && !value) {
      return Bad(absl::StrCat(name, " wants ", flag->value));
    }
    const absl::Status status = flag->set(value, flags);
    if (!status.ok()) return status;
  }
  for (; next < arguments.size(); ++next) {
    flags.command.emplace_back(arguments[next]);
  }
  if (flags.command.empty() && !flags.help) {
    return Bad("no command to run (--help tells more)");
  }
  return flags;
}

std::string HakmemHelp() {
  std::string text =
      "hakmem [flags] -- command [arguments]: runs a command on HAKMEM, with\n"
      "its own streams and exit status, and says afterwards on stderr which\n"
      "requests for memory failed, and why.\n\n";
  for (const Flag& flag : kFlags) {
    if (flag.help.empty()) continue;
    absl::StrAppend(&text, "  ", flag.name,
                    flag.takes == Flag::kMaybe   ? "[="
                    : flag.takes == Flag::kValue ? "="
                                                 : "",
                    flag.value, flag.takes == Flag::kMaybe ? "]" : "",
                    "\n      ", flag.help, "\n");
  }
  return text;
}

}  // namespace hakmem::tools
