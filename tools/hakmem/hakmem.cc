// hakmem: looks at the memory of programs. One subcommand each for what it can
// do; without one `run` is meant:
//
//     hakmem --backend=superslab --stats -- python3 app.py
//
// Exit status: 2 for a bad command line; else see the subcommand.

#include <iostream>
#include <string>
#include <vector>

#include "tools/command_line/command_line.h"
#include "tools/hakmem/profile.h"
#include "tools/hakmem/profile_flags.h"
#include "tools/hakmem/run.h"
#include "tools/hakmem/run_flags.h"
#include "tools/hakmem/run_in_place.h"

namespace hakmem::tools {
namespace {

int Main(std::vector<std::string> arguments) {
  CLI::App app("hakmem: runs programs on HAKMEM.", "hakmem");
  SetDefaults(app);
  RunFlags run_flags;
  CLI::App* const run = AddRun(app, run_flags);
  ProfileFlags profile_flags;
  CLI::App* const profile = AddProfile(app, profile_flags);
  app.footer([run] {
    return "Without a subcommand: " + run->get_name() + "\n\n" + run->help();
  });

  const auto begins_with = [&arguments](const std::string& word) {
    return !arguments.empty() && arguments[0] == word;
  };
  const bool is_profile = begins_with(profile->get_name());
  if (!is_profile && !begins_with("--help") && !begins_with(run->get_name())) {
    arguments.insert(arguments.begin(), run->get_name());
  }
  // Behind the flags of the subcommand: a command with flags of its own.
  const auto words = arguments.begin() + 1;
  const auto end =
      words + static_cast<ptrdiff_t>(CountFlags(is_profile ? *profile : *run,
                                                {words, arguments.end()}));
  const std::vector<std::string> command(
      end + (end != arguments.end() && *end == "--" ? 1 : 0), arguments.end());
  arguments.erase(end, arguments.end());

  int status;
  if (!ParseOrExplain(app, arguments, status)) return status;
  if (is_profile) {
    profile_flags.command = command;
    return Profile(profile_flags);
  }
  if (command.empty()) {
    return Fail("no command to run (--help tells more)", 2);
  }
  run_flags.command = command;
  if (!run_flags.warning.empty()) Fail(run_flags.warning, 0);
  return Run(run_flags);
}

}  // namespace
}  // namespace hakmem::tools

int main(int argc, char** argv) {
  return hakmem::tools::Main(std::vector<std::string>(argv + 1, argv + argc));
}
