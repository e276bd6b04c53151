#include "benchmarks/options.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "benchmarks/random_mixed.h"

namespace hakmem::bench {
namespace {

// What is being parsed, with what only matters meanwhile.
struct Draft {
  Options options;
  bool quick = false;
  bool repeats_given = false;
  bool operations_given = false;
  bool seconds_given = false;
};

bool ParseNumber(std::string_view text, uint64_t low, uint64_t high,
                 uint64_t& number) {
  return absl::SimpleAtoi(text, &number) && number >= low && number <= high;
}

// A list of different numbers, kept ascending.
bool ParseNumbers(std::string_view text, uint64_t low, uint64_t high,
                  std::vector<uint64_t>& numbers) {
  numbers.clear();
  for (const std::string_view item : absl::StrSplit(text, ',')) {
    if (!ParseNumber(item, low, high, numbers.emplace_back())) return false;
  }
  std::sort(numbers.begin(), numbers.end());
  return std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end();
}

// Names stand in tables, file names of none; they must not look like a list.
bool IsName(std::string_view name) {
  static constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
  return !name.empty() && name.size() <= 24 &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

bool ParseSets(std::string_view text, Draft& draft) {
  auto& sets = draft.options.sets;
  return ParseNumbers(text, kMinSlots, kMaxSlots, sets) &&
         std::all_of(sets.begin(), sets.end(), IsWorkingSet);
}

bool ParseThreads(std::string_view text, Draft& draft) {
  return ParseNumbers(text, 1, 1024, draft.options.threads);
}

bool ParseRepeats(std::string_view text, Draft& draft) {
  draft.repeats_given = true;
  return ParseNumber(text, 1, 10'000, draft.options.repeats);
}

bool ParseOperations(std::string_view text, Draft& draft) {
  draft.operations_given = true;
  return ParseNumber(text, 1, 1'000'000'000'000, draft.options.operations);
}

bool ParseSeconds(std::string_view text, Draft& draft) {
  draft.seconds_given = true;
  return ParseNumber(text, 0, 1'000'000, draft.options.seconds);
}

bool ParseOnly(std::string_view text, Draft& draft) {
  draft.options.only = absl::StrSplit(text, ',');
  return std::all_of(draft.options.only.begin(), draft.options.only.end(),
                     IsName);
}

bool ParsePeer(std::string_view text, Draft& draft) {
  const std::pair<std::string_view, std::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('=', 1));
  draft.options.peers.push_back(
      {std::string(parts.first), std::string(parts.second)});
  return IsName(parts.first) && !parts.second.empty();
}

bool ParseOut(std::string_view text, Draft& draft) {
  draft.options.out = std::string(text);
  return !text.empty();
}

struct Flag {
  std::string_view name;
  std::string_view value;  // what it takes, for people; empty: nothing
  bool (*parse)(std::string_view value, Draft& draft);
  std::string_view help;
};

constexpr Flag kFlags[] = {
    {"--sets", "powers of two, e.g. 256,8192", ParseSets,
     "working sets, in slots (default 256,8192)"},
    {"--threads", "numbers, e.g. 1,2", ParseThreads,
     "threads (default 1 and one per core)"},
    {"--repeats", "a number of 1 to 10000", ParseRepeats,
     "runs of each allocator (default 15, within --seconds)"},
    {"--ops", "a number of 1 to 10^12", ParseOperations,
     "operations per thread and run (default 20000000)"},
    {"--seconds", "a number", ParseSeconds,
     "begin no further repeat after that long; 0: never mind\n"
     "(default 150, or 0 when --repeats is given)"},
    {"--only", "names, e.g. segment,glibc", ParseOnly,
     "only these allocators, and the floor"},
    {"--peer", "name=/path/lib.so", ParsePeer,
     "another allocator to preload; may be repeated"},
    {"--out", "a directory", ParseOut,
     "write compare.json and compare.html there"},
    {"--quick", "", nullptr,
     "3 repeats of 2000000 operations: a look, not a result"},
    {"--help", "", nullptr, "print this"},
};

const Flag* FindFlag(std::string_view name) {
  const auto* const flag =
      std::find_if(std::begin(kFlags), std::end(kFlags),
                   [&](const Flag& each) { return each.name == name; });
  return flag == std::end(kFlags) ? nullptr : flag;
}

absl::Status Bad(const std::string& message) {
  return absl::InvalidArgumentError(message);
}

}  // namespace

absl::StatusOr<Options> ParseOptions(
    const std::vector<std::string_view>& arguments, uint64_t cores) {
  Draft draft;
  Options& options = draft.options;
  options.threads =
      cores > 1 ? std::vector<uint64_t>{1, cores} : std::vector<uint64_t>{1};
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    const size_t equals = argument.find('=');
    const Flag* const flag = FindFlag(argument.substr(0, equals));
    if (flag == nullptr) {
      return Bad(absl::StrCat(argument, ": unknown flag (--help lists them)"));
    }
    if (flag->parse == nullptr) {
      if (equals != std::string_view::npos) {
        return Bad(absl::StrCat(flag->name, " takes no value"));
      }
      (flag->name == "--quick" ? draft.quick : options.help) = true;
      continue;
    }
    std::string_view value;
    if (equals != std::string_view::npos) {
      value = argument.substr(equals + 1);
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    }
    if (!flag->parse(value, draft)) {
      return Bad(absl::StrCat(flag->name, "=", value, ": wants ", flag->value));
    }
  }
  if (draft.quick) {
    if (!draft.repeats_given) options.repeats = 3;
    if (!draft.operations_given) options.operations = 2'000'000;
  }
  // Asked-for repeats are run, however long they take.
  if (draft.repeats_given && !draft.seconds_given) options.seconds = 0;
  return options;
}

std::string HelpText() {
  std::string text =
      "compare: runs the random-mixed workload on HAKMEM's variants and on\n"
      "every other allocator installed, and reports who costs what.\n\n";
  for (const Flag& flag : kFlags) {
    std::string form(flag.name);
    if (!flag.value.empty()) absl::StrAppend(&form, " <", flag.value, ">");
    absl::StrAppend(&text, "  ", form, "\n");
    for (const std::string_view line : absl::StrSplit(flag.help, '\n')) {
      absl::StrAppend(&text, "      ", line, "\n");
    }
  }
  return text;
}

std::string UserPath(const std::string& path) {
  const char* const typed_in = std::getenv("BUILD_WORKING_DIRECTORY");
  if (typed_in == nullptr) return std::filesystem::absolute(path).string();
  return (std::filesystem::path(typed_in) / path).string();
}

}  // namespace hakmem::bench
