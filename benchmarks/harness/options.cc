#include "benchmarks/harness/options.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "benchmarks/harness/catalogue.h"
#include "benchmarks/workloads/random_mixed/random_mixed.h"
#include "tools/command_line/command_line.h"

namespace hakmem::bench {
namespace {

// Of the grid of random-mixed, per thread.
constexpr uint64_t kOperations = 20'000'000;
constexpr uint64_t kQuickOperations = 2'000'000;
constexpr uint64_t kQuickEffort = 25;  // of the catalogue, with --quick
constexpr uint64_t kQuickRepeats = 3;

using Names = std::vector<std::string>;

bool IsAmong(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool ParseNumber(std::string_view text, uint64_t low, uint64_t high,
                 uint64_t& number) {
  return absl::SimpleAtoi(text, &number) && number >= low && number <= high;
}

// Ascending; no number twice.
bool ParseNumbers(std::string_view text, uint64_t low, uint64_t high,
                  std::vector<uint64_t>& numbers) {
  numbers.clear();
  for (const std::string_view item : absl::StrSplit(text, ',')) {
    if (!ParseNumber(item, low, high, numbers.emplace_back())) return false;
  }
  std::sort(numbers.begin(), numbers.end());
  return std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end();
}

bool ParseNames(std::string_view text, Names& names) {
  names = absl::StrSplit(text, ',');
  return std::all_of(names.begin(), names.end(), IsName);
}

bool ParsePeer(const std::string& text, std::vector<Peer>& peers) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(text, absl::MaxSplits('=', 1));
  peers.push_back({parts.first, parts.second});
  return IsName(parts.first) && !parts.second.empty();
}

// The value may hold anything, also colons.
bool ParsePeerVariable(const std::string& text,
                       std::vector<PeerVariable>& variables) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(text, absl::MaxSplits(':', 1));
  variables.push_back({parts.first, parts.second});
  const size_t equals = parts.second.find('=');
  return IsName(parts.first) && equals != std::string::npos && equals > 0;
}

// What the user gave; nothing in what was not.
struct Given {
  std::string suite;
  std::optional<uint64_t> repeats, seconds, effort, operations;
  bool quick = false;
  bool help = false;
};

using Parse = std::function<bool(const std::string& text)>;

// An option whose text `parse` takes; `wants` says what it should be.
CLI::Option* AddOption(CLI::App& app, const char* name, const char* wants,
                       const std::string& help, const Parse& parse) {
  return app
      .add_option(
          name,
          [name, wants, parse](const CLI::results_t& texts) {
            for (const std::string& text : texts) {
              if (parse(text)) continue;
              throw CLI::ValidationError(absl::StrCat(name, "=", text),
                                         absl::StrCat("wants ", wants));
            }
            return true;
          },
          help)
      ->type_name(absl::StrCat("<", wants, ">"))
      ->allow_extra_args(false);
}

Parse NumberIn(uint64_t low, uint64_t high, std::optional<uint64_t>& number) {
  return [low, high, &number](const std::string& text) {
    return ParseNumber(text, low, high, number.emplace());
  };
}

Parse TextFor(std::string& target) {
  return [&target](const std::string& text) {
    target = text;
    return !text.empty();
  };
}

void AddOptions(CLI::App& app, Given& given, Options& options) {
  const Names suites = [] {
    Names keys;
    for (const Suite& suite : Suites()) keys.push_back(suite.key);
    return keys;
  }();
  AddOption(app, "--suite", "default, ace, quick or full",
            absl::StrCat("what to run (", given.suite, ")"),
            [&](const std::string& text) {
              given.suite = text;
              return FindSuite(text) != nullptr;
            });
  AddOption(app, "--kinds", "names, e.g. small,programs",
            "only workloads of these kinds: small, threads, memory,\n"
            "large, start, programs",
            [&](const std::string& text) {
              return ParseNames(text, options.kinds) &&
                     std::all_of(options.kinds.begin(), options.kinds.end(),
                                 [](const std::string& kind) {
                                   return std::any_of(Kinds().begin(),
                                                      Kinds().end(),
                                                      [&](const Kind& each) {
                                                        return kind == each.key;
                                                      });
                                 });
            });
  AddOption(app, "--workloads", "names, e.g. map,redis", "only these workloads",
            [&](const std::string& text) {
              return ParseNames(text, options.workloads);
            });
  AddOption(app, "--effort", "a number of 1 to 10000",
            "work in a run, in percent of the usual (25 in quick,\n100 else)",
            NumberIn(1, 10'000, given.effort));
  AddOption(app, "--sets", "powers of two, e.g. 256,8192",
            "of the suite default: working sets, in slots (256,8192)",
            [&](const std::string& text) {
              return ParseNumbers(text, kMinSlots, kMaxSlots, options.sets) &&
                     std::all_of(options.sets.begin(), options.sets.end(),
                                 IsWorkingSet);
            });
  AddOption(app, "--threads", "numbers, e.g. 1,2",
            "of the suite default: threads (1 and one per core)",
            [&](const std::string& text) {
              return ParseNumbers(text, 1, 1024, options.threads);
            });
  AddOption(app, "--ops", "a number of 1 to 10^12",
            "of the suite default: operations per thread and run\n(20000000)",
            NumberIn(1, 1'000'000'000'000, given.operations));
  AddOption(app, "--repeats", "a number of 1 to 10000",
            "runs of each allocator (default 15, ace 9, quick 3,\nfull 5)",
            NumberIn(1, 10'000, given.repeats));
  AddOption(app, "--seconds", "a number",
            "begin no further repeat after that long; 0: no limit\n"
            "(default 150, ace 250, quick 600, full 3000; 0 when\n"
            "--repeats is given)",
            NumberIn(0, 1'000'000, given.seconds));
  AddOption(
      app, "--only", "names, e.g. segment,glibc",
      "only these allocators, and the floor; hardened variants\n"
      "(segment-checks, segment-full, ...) take part only when\n"
      "named here",
      [&](const std::string& text) { return ParseNames(text, options.only); });
  AddOption(
      app, "--peer", "name=/path/lib.so",
      "another allocator to preload; may be repeated",
      [&](const std::string& text) { return ParsePeer(text, options.peers); })
      ->expected(1, -1);
  AddOption(app, "--peer-env", "name:VARIABLE=value",
            "sets a variable for that peer; may be repeated",
            [&](const std::string& text) {
              return ParsePeerVariable(text, options.peer_variables);
            })
      ->expected(1, -1);
  AddOption(app, "--out", "a directory",
            "write result.json, result.md and result.html there",
            TextFor(options.out));
  AddOption(app, "--against", "a result.json",
            "say what became better and worse since that result;\n"
            "exit status 1 if anything became worse",
            TextFor(options.against));
  app.add_flag("--quick", given.quick,
               "3 repeats of little work: a look, not a result")
      ->disable_flag_override();
  app.add_flag("--help", given.help, "print this")->disable_flag_override();
}

// The first option that the suite knows nothing of; empty when there is none.
std::string ForeignOption(const Options& options, const Given& given) {
  if (options.suite->grid) {
    if (!options.kinds.empty()) return "--kinds";
    if (!options.workloads.empty()) return "--workloads";
  } else {
    if (!options.sets.empty()) return "--sets";
    if (!options.threads.empty()) return "--threads";
    if (given.operations.has_value()) return "--ops";
  }
  return "";
}

void Settle(const Given& given, uint64_t cores, Options& options) {
  const Suite& suite = *options.suite;
  // Repeats that are asked for are run, however long they take.
  options.seconds =
      given.seconds.value_or(given.repeats.has_value() ? 0 : suite.seconds);
  options.repeats =
      given.repeats.value_or(given.quick ? kQuickRepeats : suite.repeats);
  options.effort = given.effort.value_or(
      given.quick && !suite.grid ? kQuickEffort : suite.effort);
  if (!suite.grid) return;
  if (options.sets.empty()) options.sets = {256, 8192};
  if (options.threads.empty()) {
    options.threads = {1};
    if (cores > 1) options.threads.push_back(cores);
  }
  const uint64_t usual = given.quick ? kQuickOperations : kOperations;
  options.operations = given.operations.value_or(
      std::max<uint64_t>(usual * options.effort / 100, 1));
  options.effort =
      std::max<uint64_t>(options.operations * 100 / kOperations, 1);
}

std::vector<Case> SuiteCases(const Options& options) {
  std::vector<Case> cases;
  if (options.suite->grid) {
    // Working sets in the outer loop: the report begins with the smallest.
    for (const uint64_t slots : options.sets) {
      for (const uint64_t threads : options.threads) {
        cases.push_back(GridCase(slots, threads, options.operations));
      }
    }
    return cases;
  }
  cases = CatalogueCases(options.suite->quick_look, options.effort,
                         options.suite->slow_every);
  const std::vector<const char*>& wanted = options.suite->workloads;
  if (!wanted.empty()) {
    std::erase_if(cases, [&](const Case& a_case) {
      return std::none_of(wanted.begin(), wanted.end(),
                          [&](const char* key) { return a_case.key == key; });
    });
  }
  return cases;
}

// Makes sure that kinds and workloads are of the suite and leave something.
std::string ChoiceError(const Options& options) {
  const std::vector<Case> cases = SuiteCases(options);
  for (const std::string& name : options.workloads) {
    if (std::none_of(cases.begin(), cases.end(),
                     [&](const Case& a_case) { return a_case.key == name; })) {
      return absl::StrCat(
          "--workloads=", name, ": this suite has no such workload; it has ",
          absl::StrJoin(cases, ", ", [](std::string* out, const Case& a_case) {
            absl::StrAppend(out, a_case.key);
          }));
    }
  }
  return ChosenCases(options).empty()
             ? "--kinds and --workloads together leave no workload"
             : "";
}

}  // namespace

bool IsName(const std::string& text) {
  static constexpr char kAllowed[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
  return !text.empty() && text.size() <= 24 &&
         text.find_first_not_of(kAllowed) == std::string::npos;
}

std::optional<Options> ParseOptions(const std::vector<std::string>& arguments,
                                    const std::string& default_suite,
                                    uint64_t cores, std::string& error) {
  Options options;
  Given given;
  given.suite = default_suite;
  std::string about =
      "Runs workloads on HAKMEM's variants and on every other allocator\n"
      "installed, and reports who costs what. Suites:\n";
  for (const Suite& suite : Suites()) {
    absl::StrAppend(&about, "  ", suite.key, ": ", suite.description, "\n");
  }
  CLI::App app(about);
  app.set_help_flag();
  app.get_formatter()->column_width(22);
  AddOptions(app, given, options);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& problem) {
    // CLI11 names a switch that is given a value without its dashes.
    const bool is_bare =
        problem.get_name() == "ArgumentMismatch" && problem.what()[0] != '-';
    error = absl::StrCat(is_bare ? "--" : "",
                         absl::StrReplaceAll(problem.what(), {{"\n", " "}}),
                         " (--help lists the options)");
    return std::nullopt;
  }
  if (given.help) {
    // CLI11 leaves two spaces behind the name.
    options.help =
        absl::StrReplaceAll(app.help("./bazelw run //benchmarks:compare --"),
                            {{"--  [OPTIONS]", "-- [OPTIONS]"}});
    return options;
  }
  options.suite = FindSuite(given.suite);
  const std::string foreign = ForeignOption(options, given);
  if (!foreign.empty()) {
    error = absl::StrCat(foreign, " does not go with --suite=", given.suite);
    return std::nullopt;
  }
  Settle(given, cores, options);
  error = ChoiceError(options);
  if (!error.empty()) return std::nullopt;
  return options;
}

std::vector<Case> ChosenCases(const Options& options) {
  std::vector<Case> cases = SuiteCases(options);
  std::erase_if(cases, [&](const Case& a_case) {
    return (!options.kinds.empty() && !IsAmong(options.kinds, a_case.kind)) ||
           (!options.workloads.empty() &&
            !IsAmong(options.workloads, a_case.key));
  });
  return cases;
}

std::string UserPath(const std::string& path) {
  return (tools::UserDirectory() / path).string();
}

}  // namespace hakmem::bench
