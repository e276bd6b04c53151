// The command line of `hakmem`.
#ifndef HAKMEM_TOOLS_HAKMEM_HAKMEM_FLAGS_H_
#define HAKMEM_TOOLS_HAKMEM_HAKMEM_FLAGS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace hakmem::tools {

struct HakmemFlags {
  std::string backend = "segment";
  std::string ace = "adaptive";
  bool stats = false;
  bool trace = false;      // tell of failures as they happen...
  std::string trace_file;  // ...in this file; empty: on stderr
  bool help = false;
  std::string warning;  // of a flag that is not what it was; may be empty
  // Options of the library, as its environment variables.
  std::vector<std::pair<std::string, std::string>> options;
  std::vector<std::string> command;
};

// Parses `arguments` (without the program's name): flags, then `--`, then the
// command. The error is one line without the program's name.
absl::StatusOr<HakmemFlags> ParseHakmemFlags(
    const std::vector<std::string_view>& arguments);

// What --help prints.
std::string HakmemHelp();

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_HAKMEM_HAKMEM_FLAGS_H_
