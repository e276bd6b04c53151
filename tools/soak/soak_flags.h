// The command line of `soak`.
#ifndef HAKMEM_TOOLS_SOAK_SOAK_FLAGS_H_
#define HAKMEM_TOOLS_SOAK_SOAK_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace hakmem::soak {

struct SoakFlags {
  std::string help;  // its text, when it was asked for
  double minutes = 5;
  std::vector<std::string> backends = {"segment", "superslab"};
  std::vector<std::string> aces = {"adaptive", "fixed", "off"};
  std::string library;  // one to run on in place of ours; empty: none
  std::optional<uint64_t> seed;
  std::optional<uint64_t> round;  // the only one to run
  uint64_t threads = 8;
  uint64_t memory_mib = 256;
  bool parallel = false;
};

// Parses `arguments` (without the program's name). The error is one line.
absl::StatusOr<SoakFlags> ParseSoakFlags(
    const std::vector<std::string>& arguments);

// The flags that make the round `round` of `seed` again what it was under
// `flags`.
std::string RepeatingFlags(const SoakFlags& flags, uint64_t seed,
                           uint64_t round);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_SOAK_FLAGS_H_
