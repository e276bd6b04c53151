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
#include "tools/hakmem/run.h"
#include "tools/hakmem/run_flags.h"

namespace hakmem::tools {
namespace {

int Main(std::vector<std::string> arguments) {
  CLI::App app("hakmem: runs programs on HAKMEM.", "hakmem");
  SetDefaults(app);
  RunFlags flags;
  CLI::App* const run = AddRun(app, flags);
  app.footer([run] {
    return "Without a subcommand: " + run->get_name() + "\n\n" + run->help();
  });

  const bool help = !arguments.empty() && arguments[0] == "--help";
  if (!help && (arguments.empty() || arguments[0] != run->get_name())) {
    arguments.insert(arguments.begin(), run->get_name());
  }
  // Behind the flags of the subcommand: a command with flags of its own.
  const auto words = arguments.begin() + 1;
  const auto end = words + static_cast<ptrdiff_t>(
                               CountFlags(*run, {words, arguments.end()}));
  flags.command.assign(end + (end != arguments.end() && *end == "--" ? 1 : 0),
                       arguments.end());
  arguments.erase(end, arguments.end());

  int status;
  if (!ParseOrExplain(app, arguments, status)) return status;
  if (flags.command.empty()) {
    return Fail("no command to run (--help tells more)", 2);
  }
  if (!flags.warning.empty()) Fail(flags.warning, 0);
  return Run(flags);
}

}  // namespace
}  // namespace hakmem::tools

int main(int argc, char** argv) {
  return hakmem::tools::Main(std::vector<std::string>(argv + 1, argv + argc));
}
