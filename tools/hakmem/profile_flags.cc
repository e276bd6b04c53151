#include "tools/hakmem/profile_flags.h"

#include "base/text/options.h"
#include "tools/command_line/command_line.h"

namespace hakmem::tools {
namespace {

bool IsRate(const std::string& text) {
  const options::Description& option =
      options::Describe(options::k_profile_rate);
  uint64_t rate = 0;
  return options::Parse(option.type, text.c_str(), &rate) &&
         rate >= option.least && rate <= option.most;
}

}  // namespace

CLI::App* AddProfile(CLI::App& app, ProfileFlags& flags) {
  CLI::App* const profile = app.add_subcommand(
      "profile", "runs a command on HAKMEM, and says who allocated its memory");
  profile->footer(
      "Usage: hakmem profile [flags] -- command [arguments]\n"
      "       hakmem profile --diff [flags] BEFORE AFTER\n"
      "The command has its own streams and exit status; the table goes to\n"
      "stderr when it has ended. A process that is killed leaves no profile.\n"
      "Example: hakmem profile --out=app.pb.gz -- python3 app.py\n"
      "         pprof -http=: app.pb.gz");
  profile
      ->add_option("--backend", flags.backend,
                   "where small blocks come from (default segment)")
      ->type_name("segment|superslab")
      ->check(OneOf({"segment", "superslab"}));
  profile
      ->add_option("--rate", flags.rate,
                   "sample one block in so many allocated bytes, on average\n"
                   "(default 512K)")
      ->type_name("SIZE")
      ->check(Wants("a size from 1 to 1G, such as 64K", IsRate));
  profile
      ->add_option("--out", flags.out,
                   "write the profile for pprof or speedscope")
      ->type_name("FILE.pb.gz");
  profile
      ->add_option("--json", flags.json,
                   "write the sites as JSON; - is standard output")
      ->type_name("FILE");
  profile
      ->add_option(
          "--top", flags.top,
          "print the N sites that held most at the peak (default 20);\n"
          "0: no table")
      ->type_name("N")
      ->check(WholeNumber(0, 1000000));
  profile
      ->add_flag("--diff", flags.diff,
                 "compare two profiles that --out has written: what AFTER has\n"
                 "more than BEFORE")
      ->disable_flag_override();
  return profile;
}

}  // namespace hakmem::tools
