// The command line of `hakmem run`.
#ifndef HAKMEM_TOOLS_HAKMEM_RUN_FLAGS_H_
#define HAKMEM_TOOLS_HAKMEM_RUN_FLAGS_H_

#include <string>
#include <vector>

#include "CLI/App.hpp"

namespace hakmem::tools {

struct RunFlags {
  std::string backend = "segment";
  std::string ace = "adaptive";
  std::string hardening = "off";
  bool stats = false;
  // Where to report failures as they happen: a file, "-" for stderr; empty:
  // nowhere.
  std::string trace;
  std::string warning;  // of a flag that is not what it was; may be empty
  // Options of the library, as its environment variables: "NAME=value".
  std::vector<std::string> options;
  std::vector<std::string> command;  // not a flag: see hakmem.cc
};

// Adds the subcommand `run`, which sets `flags`.
CLI::App* AddRun(CLI::App& app, RunFlags& flags);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_HAKMEM_RUN_FLAGS_H_
