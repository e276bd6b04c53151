#include "benchmarks/harness/run_options.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hakmem::bench {
namespace {

bool ParsePeer(std::string_view text, std::vector<Peer>& peers) {
  const std::pair<std::string_view, std::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('=', 1));
  peers.push_back({std::string(parts.first), std::string(parts.second)});
  return IsName(parts.first) && !parts.second.empty();
}

// The value may hold anything, also colons.
bool ParsePeerVariable(std::string_view text,
                       std::vector<PeerVariable>& variables) {
  const std::pair<std::string_view, std::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(':', 1));
  variables.push_back({std::string(parts.first), std::string(parts.second)});
  const size_t equals = parts.second.find('=');
  return IsName(parts.first) && equals != std::string_view::npos && equals > 0;
}

}  // namespace

std::vector<Flag> RunFlags(const RunDefaults& defaults, RunOptions& options) {
  return {
      {"--repeats", "a number of 1 to 10000",
       absl::StrCat("runs of each allocator (default ", defaults.repeats,
                    ", within --seconds)"),
       [&](std::string_view text) {
         return ParseNumber(text, 1, 10'000, options.repeats);
       }},
      {"--seconds", "a number",
       absl::StrCat("begin no further repeat after that long; 0: never mind\n"
                    "(default ",
                    defaults.seconds, ", or 0 when --repeats is given)"),
       [&](std::string_view text) {
         return ParseNumber(text, 0, 1'000'000, options.seconds);
       }},
      {"--only", "names, e.g. segment,glibc", defaults.only_help,
       [&](std::string_view text) { return ParseNames(text, options.only); }},
      {"--peer", "name=/path/lib.so",
       "another allocator to preload; may be repeated",
       [&](std::string_view text) { return ParsePeer(text, options.peers); }},
      {"--peer-env", "name:VARIABLE=value",
       "what to set in the environment of that peer; may be repeated",
       [&](std::string_view text) {
         return ParsePeerVariable(text, options.peer_variables);
       }},
      {"--out", "a directory",
       absl::StrCat("write ", defaults.program, ".json and ", defaults.program,
                    ".html there"),
       [&](std::string_view text) {
         options.out = std::string(text);
         return !text.empty();
       }},
      SwitchFlag("--quick", defaults.quick_help, options.quick),
      SwitchFlag("--help", "print this", options.help),
  };
}

void Settle(const RunDefaults& defaults, RunOptions& options) {
  const bool repeats_given = options.repeats != kNotGiven;
  // Asked-for repeats are run, however long they take.
  if (options.seconds == kNotGiven) {
    options.seconds = repeats_given ? 0 : defaults.seconds;
  }
  if (!repeats_given) {
    options.repeats = options.quick ? defaults.quick_repeats : defaults.repeats;
  }
}

std::string UserPath(const std::string& path) {
  const char* const typed_in = std::getenv("BUILD_WORKING_DIRECTORY");
  if (typed_in != nullptr) {
    return (std::filesystem::path(typed_in) / path).string();
  }
  // Without a current folder the path is as good as it was.
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.string();
}

}  // namespace hakmem::bench
