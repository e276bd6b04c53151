#include "tools/soak/soak_flags.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tools/command_line/command_line.h"

namespace hakmem::soak {
namespace {

// Checks names of `known`, each once, with commas between; `all` stands for all
// of them. Sets `names` to them.
CLI::Validator Names(const std::string& all, std::vector<std::string>& names) {
  return tools::Wants(
      absl::StrCat(absl::StrJoin(names, ","), " or ", all),
      [all, known = names, &names](const std::string& value) {
        const std::vector<std::string> chosen =
            value == all ? known
                         : std::vector<std::string>(absl::StrSplit(value, ','));
        names = chosen;
        return std::all_of(
            chosen.begin(), chosen.end(), [&](const std::string& name) {
              return std::count(known.begin(), known.end(), name) == 1 &&
                     std::count(chosen.begin(), chosen.end(), name) == 1;
            });
      });
}

bool IsLength(const std::string& value) {
  double minutes = 0;
  return absl::SimpleAtod(value, &minutes) && minutes > 0 &&
         minutes <= 60 * 24 * 365;
}

// What LD_PRELOAD can hold.
bool IsPath(const std::string& value) {
  return !value.empty() && value.find_first_of(" :") == std::string::npos;
}

}  // namespace

absl::StatusOr<SoakFlags> ParseSoakFlags(
    const std::vector<std::string>& arguments) {
  SoakFlags flags;
  CLI::App app("runs the library's variants under load and checks every block",
               "soak");
  tools::SetDefaults(app);
  app.footer(
      "Usage: soak [flags]\n"
      "Runs in rounds, each a process of its own. Exit status: 0, 1 for "
      "errors,\n"
      "2 for bad flags, 130 when interrupted.\n"
      "Example: soak --minutes=60 --backend=segment --parallel");
  app.add_option("--minutes", flags.minutes,
                 "how long all of it takes (default 5; fractions are allowed)")
      ->type_name("N")
      ->check(tools::Wants("minutes above 0", IsLength));
  app.add_option("--backend", "which back-ends take turns (default both)")
      ->type_name("segment|superslab|both")
      ->check(Names("both", flags.backends));
  app.add_option("--ace", "which variants of ACE take turns (default all)")
      ->type_name("adaptive,fixed,off")
      ->check(Names("all", flags.aces));
  app.add_option("--library", flags.library,
                 "run on this library, whatever it is, in place of ours")
      ->type_name("PATH")
      ->check(tools::Wants("a path without spaces and colons", IsPath));
  app.add_option("--seed", flags.seed,
                 "what everything random depends on, but the interleaving of "
                 "threads\n(default: another one each time, which is printed)")
      ->type_name("N")
      ->check(tools::WholeNumber(0, UINT64_MAX));
  app.add_option("--round", flags.round, "run this round of the seed only")
      ->type_name("N")
      ->check(tools::WholeNumber(0, UINT64_MAX));
  app.add_option("--threads", flags.threads,
                 "most threads of a round (default 8, at most 64)")
      ->type_name("N")
      ->check(tools::WholeNumber(1, 64));
  app.add_option("--memory-mib", flags.memory_mib,
                 "about what a round's blocks may hold (default 256); forked "
                 "children\nmay hold as much again")
      ->type_name("N")
      ->check(tools::WholeNumber(16, 65536));
  app.add_flag("--parallel", flags.parallel,
               "rounds run two at a time: both back-ends at once")
      ->disable_flag_override();
  const absl::StatusOr<std::string> help =
      tools::ParseCommandLine(app, arguments);
  if (!help.ok()) return help.status();
  flags.help = *help;
  return flags;
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
