#include "benchmarks/harness/options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "benchmarks/harness/bench_cases.h"
#include "benchmarks/workloads/random_mixed/random_mixed.h"

namespace hakmem::bench {
namespace {

constexpr uint64_t kOperations = 20'000'000;
constexpr uint64_t kQuickOperations = 2'000'000;

constexpr uint64_t kQuickEffort = 25;

bool IsAmong(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

RunDefaults Defaults(SuiteChoice suite) {
  if (suite == SuiteChoice::kQuick) return {"compare", 3, 3, 600, "", ""};
  if (suite == SuiteChoice::kFull) return {"compare", 5, 5, 3000, "", ""};
  return {"compare",
          15,
          3,
          150,
          "only these allocators, and the floor; hardened variants (as "
          "segment-checks, segment-full) take part only when named here",
          "of random-mixed: 3 repeats of 2000000 operations, a look, not "
          "a\nresult"};
}

bool ParseSets(std::string_view text, std::vector<uint64_t>& sets) {
  return ParseNumbers(text, kMinSlots, kMaxSlots, sets) &&
         std::all_of(sets.begin(), sets.end(), IsWorkingSet);
}

bool ParseSuite(std::string_view text, SuiteChoice& suite) {
  if (text == "random-mixed") {
    suite = SuiteChoice::kRandomMixed;
  } else if (text == "quick") {
    suite = SuiteChoice::kQuick;
  } else if (text == "full") {
    suite = SuiteChoice::kFull;
  } else {
    return false;
  }
  return true;
}

// The first flag that belongs to another suite than the chosen one; empty when
// there is none.
std::string FlagOfOtherSuite(const Options& options) {
  if (options.suite == SuiteChoice::kRandomMixed) {
    if (!options.kinds.empty()) return "--kinds";
    if (!options.workloads.empty()) return "--workloads";
    if (options.effort != kNotGiven) return "--effort";
    if (!options.against.empty()) return "--against";
  } else {
    if (!options.sets.empty()) return "--sets";
    if (!options.threads.empty()) return "--threads";
    if (options.operations != kNotGiven) return "--ops";
    if (options.quick) return "--quick";
  }
  return "";
}

// Makes sure that kinds and workloads are of the suite and leave something.
absl::Status CheckChoice(const Options& options) {
  const std::vector<Case> cases =
      BenchCases(options.suite == SuiteChoice::kQuick, options.effort);
  for (const std::string& name : options.workloads) {
    if (std::none_of(cases.begin(), cases.end(), [&](const Case& a_case) {
          return a_case.workload == name;
        })) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--workloads=", name, ": this suite has no such workload; it has ",
          absl::StrJoin(cases, ", ", [](std::string* out, const Case& a_case) {
            absl::StrAppend(out, a_case.workload);
          })));
    }
  }
  if (ChosenCases(options).empty()) {
    return absl::InvalidArgumentError(
        "--kinds and --workloads together leave no workload");
  }
  return absl::OkStatus();
}

// All flags, storing to `options`.
std::vector<Flag> Flags(Options& options) {
  std::vector<Flag> flags = {
      {"--suite", "random-mixed, quick or full",
       "what to run (default random-mixed)",
       [&](std::string_view text) { return ParseSuite(text, options.suite); }},
      {"--kinds", absl::StrCat("names, of ", absl::StrJoin(KindNames(), ",")),
       "of quick and full: only workloads of these kinds",
       [&](std::string_view text) {
         return ParseNames(text, options.kinds) &&
                std::all_of(options.kinds.begin(), options.kinds.end(),
                            [](const std::string& kind) {
                              return IsAmong(KindNames(), kind);
                            });
       }},
      {"--workloads", "names, e.g. map,redis", "of quick and full: only these",
       [&](std::string_view text) {
         return ParseNames(text, options.workloads);
       }},
      {"--effort", "a number of 1 to 10000",
       "of quick and full: work in a run, in percent of the usual\n"
       "(default 25 in quick, 100 in full)",
       [&](std::string_view text) {
         return ParseNumber(text, 1, 10'000, options.effort);
       }},
      {"--against", "a compare.json",
       "of quick and full: name what became worse and better since that\n"
       "result; exit status 1 if anything became worse",
       [&](std::string_view text) {
         options.against = std::string(text);
         return !text.empty();
       }},
      {"--sets", "powers of two, e.g. 256,8192",
       "of random-mixed: working sets, in slots (default 256,8192)",
       [&](std::string_view text) { return ParseSets(text, options.sets); }},
      {"--threads", "numbers, e.g. 1,2",
       "of random-mixed: threads (default 1 and one per core)",
       [&](std::string_view text) {
         return ParseNumbers(text, 1, 1024, options.threads);
       }},
      {"--ops", "a number of 1 to 10^12",
       "of random-mixed: operations per thread and run (default 20000000)",
       [&](std::string_view text) {
         return ParseNumber(text, 1, 1'000'000'000'000, options.operations);
       }},
  };
  for (Flag& flag : RunFlags(Defaults(SuiteChoice::kRandomMixed), options)) {
    flags.push_back(std::move(flag));
  }
  return flags;
}

}  // namespace

std::vector<Case> ChosenCases(const Options& options) {
  std::vector<Case> cases =
      BenchCases(options.suite == SuiteChoice::kQuick, options.effort);
  std::erase_if(cases, [&](const Case& a_case) {
    return (!options.kinds.empty() && !IsAmong(options.kinds, a_case.kind)) ||
           (!options.workloads.empty() &&
            !IsAmong(options.workloads, a_case.workload));
  });
  return cases;
}

absl::StatusOr<Options> ParseOptions(
    const std::vector<std::string_view>& arguments, uint64_t cores) {
  Options options;
  absl::Status status = ParseFlags(arguments, Flags(options));
  if (!status.ok()) return status;
  const std::string foreign = FlagOfOtherSuite(options);
  if (!foreign.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        foreign, " does not go with --suite=", SuiteText(options.suite)));
  }
  Settle(Defaults(options.suite), options);
  if (options.suite == SuiteChoice::kRandomMixed) {
    if (options.sets.empty()) options.sets = {256, 8192};
    if (options.threads.empty()) {
      options.threads = {1};
      if (cores > 1) options.threads.push_back(cores);
    }
    if (options.operations == kNotGiven) {
      options.operations = options.quick ? kQuickOperations : kOperations;
    }
    return options;
  }
  if (options.effort == kNotGiven) {
    options.effort = options.suite == SuiteChoice::kQuick ? kQuickEffort : 100;
  }
  status = CheckChoice(options);
  if (!status.ok()) return status;
  return options;
}

std::string SuiteText(SuiteChoice suite) {
  switch (suite) {
    case SuiteChoice::kRandomMixed:
      return "random-mixed";
    case SuiteChoice::kQuick:
      return "quick";
    case SuiteChoice::kFull:
      return "full";
  }
  return "";
}

std::string HelpText() {
  Options unused;
  return absl::StrCat(
      "compare: runs workloads on HAKMEM's variants and on every other\n"
      "allocator installed, and reports who costs what. --suite=random-mixed\n"
      "is one workload with working sets and threads of your choice; quick\n"
      "(3 repeats) is a look at many, and full (5 repeats, no further one\n"
      "after 3000 seconds) all there are.\n\n",
      FlagsHelp(Flags(unused)));
}

}  // namespace hakmem::bench
