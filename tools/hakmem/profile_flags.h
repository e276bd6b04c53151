// The command line of `hakmem profile`.
#ifndef HAKMEM_TOOLS_HAKMEM_PROFILE_FLAGS_H_
#define HAKMEM_TOOLS_HAKMEM_PROFILE_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "CLI/App.hpp"

namespace hakmem::tools {

struct ProfileFlags {
  std::string backend = "segment";
  std::string rate = "512K";  // as the library's option
  std::string out;            // file for pprof; empty: none
  std::string json;           // file, "-" for stdout; empty: none
  uint64_t top = 20;          // rows of the table
  bool diff = false;          // compare two files in place of running a command
  // Not a flag: see hakmem.cc. With `diff` the two files.
  std::vector<std::string> command;
};

// Adds the subcommand `profile`, which sets `flags`.
CLI::App* AddProfile(CLI::App& app, ProfileFlags& flags);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_HAKMEM_PROFILE_FLAGS_H_
