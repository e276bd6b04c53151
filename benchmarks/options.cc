#include "benchmarks/options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "benchmarks/random_mixed.h"

namespace hakmem::bench {
namespace {

constexpr uint64_t kOperations = 20'000'000;
constexpr uint64_t kQuickOperations = 2'000'000;

RunDefaults Defaults() {
  return {"compare",
          15,
          3,
          150,
          "only these allocators, and the floor",
          "3 repeats of 2000000 operations: a look, not a result"};
}

bool ParseSets(std::string_view text, std::vector<uint64_t>& sets) {
  return ParseNumbers(text, kMinSlots, kMaxSlots, sets) &&
         std::all_of(sets.begin(), sets.end(), IsWorkingSet);
}

// All flags, storing to `options`.
std::vector<Flag> Flags(Options& options) {
  std::vector<Flag> flags = {
      {"--sets", "powers of two, e.g. 256,8192",
       "working sets, in slots (default 256,8192)",
       [&](std::string_view text) { return ParseSets(text, options.sets); }},
      {"--threads", "numbers, e.g. 1,2", "threads (default 1 and one per core)",
       [&](std::string_view text) {
         return ParseNumbers(text, 1, 1024, options.threads);
       }},
      {"--ops", "a number of 1 to 10^12",
       "operations per thread and run (default 20000000)",
       [&](std::string_view text) {
         return ParseNumber(text, 1, 1'000'000'000'000, options.operations);
       }},
  };
  for (Flag& flag : RunFlags(Defaults(), options)) {
    flags.push_back(std::move(flag));
  }
  return flags;
}

}  // namespace

absl::StatusOr<Options> ParseOptions(
    const std::vector<std::string_view>& arguments, uint64_t cores) {
  Options options;
  options.threads =
      cores > 1 ? std::vector<uint64_t>{1, cores} : std::vector<uint64_t>{1};
  const absl::Status status = ParseFlags(arguments, Flags(options));
  if (!status.ok()) return status;
  if (options.operations == kNotGiven) {
    options.operations = options.quick ? kQuickOperations : kOperations;
  }
  Settle(Defaults(), options);
  return options;
}

std::string HelpText() {
  Options unused;
  return absl::StrCat(
      "compare: runs the random-mixed workload on HAKMEM's variants and on\n"
      "every other allocator installed, and reports who costs what.\n\n",
      FlagsHelp(Flags(unused)));
}

}  // namespace hakmem::bench
