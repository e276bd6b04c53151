// Command lines of the form `--flag=value` or `--flag value`, each program's
// flags being a list of these.
#ifndef HAKMEM_BENCHMARKS_HARNESS_FLAGS_H_
#define HAKMEM_BENCHMARKS_HARNESS_FLAGS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace hakmem::bench {

struct Flag {
  std::string name;   // with its dashes
  std::string value;  // what it takes, for people; empty: nothing
  std::string help;   // lines
  // Stores the value (empty when it takes none); false when it is bad.
  std::function<bool(std::string_view value)> parse;
};

// A flag without a value that sets `target`.
Flag SwitchFlag(std::string name, std::string help, bool& target);

// Parses `arguments` (without the program's name) into whatever the flags store
// to. The error is one line without the program's name.
absl::Status ParseFlags(const std::vector<std::string_view>& arguments,
                        const std::vector<Flag>& flags);

// The flags as --help lists them.
std::string FlagsHelp(const std::vector<Flag>& flags);

// For parsers: each is false when `text` is not what it should be.
bool ParseNumber(std::string_view text, uint64_t low, uint64_t high,
                 uint64_t& number);
// A list of different numbers, kept ascending.
bool ParseNumbers(std::string_view text, uint64_t low, uint64_t high,
                  std::vector<uint64_t>& numbers);
// Names stand in tables; they must not look like a list.
bool IsName(std::string_view name);
bool ParseNames(std::string_view text, std::vector<std::string>& names);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_FLAGS_H_
