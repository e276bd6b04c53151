#include "tools/soak/soak_flags.h"

#include <algorithm>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace hakmem::soak {
namespace {

bool ParseNumber(std::string_view text, uint64_t low, uint64_t high,
                 uint64_t& number) {
  return absl::SimpleAtoi(text, &number) && number >= low && number <= high;
}

bool ParseOptional(std::string_view text, std::optional<uint64_t>& number) {
  uint64_t parsed = 0;
  if (!absl::SimpleAtoi(text, &parsed)) return false;
  number = parsed;
  return true;
}

// Names of `known`, each once; `all` stands for all of them.
bool ParseNames(std::string_view text, std::string_view all,
                const std::vector<std::string>& known,
                std::vector<std::string>& names) {
  names =
      text == all ? known : std::vector<std::string>(absl::StrSplit(text, ','));
  for (const std::string& name : names) {
    if (std::count(known.begin(), known.end(), name) != 1 ||
        std::count(names.begin(), names.end(), name) != 1) {
      return false;
    }
  }
  return true;
}

struct Flag {
  std::string_view name;
  std::string_view value;  // what it takes, for people; empty: nothing
  bool (*set)(std::string_view value, SoakFlags& flags);
  std::string_view help;
};

const Flag kFlags[] = {
    {"--minutes", "N",
     [](std::string_view value, SoakFlags& flags) {
       return absl::SimpleAtod(value, &flags.minutes) && flags.minutes > 0 &&
              flags.minutes <= 60 * 24 * 365;
     },
     "how long all of it takes (default 5; fractions are allowed)"},
    {"--backend", "segment|superslab|both",
     [](std::string_view value, SoakFlags& flags) {
       return ParseNames(value, "both", {"segment", "superslab"},
                         flags.backends);
     },
     "which back-ends take turns (default both)"},
    {"--ace", "adaptive,fixed,off",
     [](std::string_view value, SoakFlags& flags) {
       return ParseNames(value, "all", {"adaptive", "fixed", "off"},
                         flags.aces);
     },
     "which variants of ACE take turns (default all)"},
    {"--library", "PATH",
     [](std::string_view value, SoakFlags& flags) {
       flags.library = std::string(value);
       return !value.empty() &&
              value.find_first_of(" :") == std::string_view::npos;
     },
     "run on this library, whatever it is, in place of ours (a path without\n"
     "      spaces and colons)"},
    {"--seed", "N",
     [](std::string_view value, SoakFlags& flags) {
       return ParseOptional(value, flags.seed);
     },
     "what all that is random depends on, but the interleaving of threads\n"
     "      (default: another one each time, which is printed)"},
    {"--round", "N",
     [](std::string_view value, SoakFlags& flags) {
       return ParseOptional(value, flags.round);
     },
     "run this round of the seed only"},
    {"--threads", "N",
     [](std::string_view value, SoakFlags& flags) {
       return ParseNumber(value, 1, 64, flags.threads);
     },
     "most threads of a round (default 8, at most 64)"},
    {"--memory-mib", "N",
     [](std::string_view value, SoakFlags& flags) {
       return ParseNumber(value, 16, 65536, flags.memory_mib);
     },
     "about what a round's blocks may hold (default 256); forked children may\n"
     "      hold as much again"},
    {"--parallel", "",
     [](std::string_view, SoakFlags& flags) { return flags.parallel = true; },
     "rounds run two at a time: both back-ends at once"},
    {"--help", "",
     [](std::string_view, SoakFlags& flags) { return flags.help = true; },
     "print this"},
};

}  // namespace

absl::StatusOr<SoakFlags> ParseSoakFlags(
    const std::vector<std::string_view>& arguments) {
  SoakFlags flags;
  for (size_t next = 0; next < arguments.size();) {
    const std::string_view argument = arguments[next++];
    const size_t equals = argument.find('=');
    const auto* const flag = std::find_if(
        std::begin(kFlags), std::end(kFlags), [&](const Flag& each) {
          return each.name == argument.substr(0, equals);
        });
    if (flag == std::end(kFlags)) {
      return absl::InvalidArgumentError(
          absl::StrCat(argument, ": unknown flag (--help lists them)"));
    }
    std::string_view value;
    if (equals != std::string_view::npos) {
      value = argument.substr(equals + 1);
    } else if (!flag->value.empty() && next < arguments.size()) {
      value = arguments[next++];
    }
    if (flag->value.empty() && equals != std::string_view::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat(flag->name, " takes no value"));
    }
    if (!flag->set(value, flags)) {
      return absl::InvalidArgumentError(
          absl::StrCat(flag->name, "=", value, ": wants ", flag->value));
    }
  }
  return flags;
}

std::string SoakHelp() {
  std::string text =
      "soak [flags]: works for minutes or hours on the library's variants, in\n"
      "rounds, each a process of its own, and checks every block. Exit "
      "status:\n"
      "0, 1 for errors, 2 for bad flags, 130 when interrupted.\n\n";
  for (const Flag& flag : kFlags) {
    absl::StrAppend(&text, "  ", flag.name, flag.value.empty() ? "" : "=",
                    flag.value, "\n      ", flag.help, "\n");
  }
  return text;
}

std::string RepeatingFlags(const SoakFlags& flags, uint64_t seed,
                           uint64_t round) {
  std::string text = absl::StrCat(
      "--seed=", seed, " --round=", round, " --minutes=", flags.minutes,
      " --threads=", flags.threads, " --memory-mib=", flags.memory_mib);
  if (!flags.library.empty()) {
    absl::StrAppend(&text, " --library=", flags.library);
  }
  const std::string backends = absl::StrJoin(flags.backends, ",");
  const std::string aces = absl::StrJoin(flags.aces, ",");
  return absl::StrCat(text, " --backend=", backends, " --ace=", aces);
}

}  // namespace hakmem::soak
