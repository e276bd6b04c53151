// Makes allocations fail on purpose, for each cause that the library tells
// apart, and prints what it recorded of each: a look at what a user is told.
//
//     provoke_failures [--backend=segment|superslab] [--ace=adaptive|fixed]
//
// Exit status: 0 when each was recorded, 1 when one was not, 2 for bad flags.

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "tools/failure_scenarios/run_scenario.h"
#include "tools/failure_scenarios/scenarios.h"
#include "tools/text/human_bytes.h"

namespace hakmem::tools {
namespace {

constexpr std::string_view kBackends[] = {"segment", "superslab"};
constexpr std::string_view kAces[] = {"adaptive", "fixed"};

std::string Size(uint64_t bytes) {
  return bytes == UINT64_MAX ? "overflow" : HumanBytes(bytes);
}

std::string Evidence(const ProvokedFailure& f) {
  if (f.limit_bytes != 0) {
    return absl::StrCat(HumanBytes(f.live_bytes + f.cached_bytes), " of ",
                        HumanBytes(f.limit_bytes));
  }
  if (f.evidence_limit == 0) return "-";
  if (f.subcause == "max_map_count") {
    return absl::StrCat(f.evidence_used, " of ", f.evidence_limit);
  }
  return absl::StrCat(HumanBytes(f.evidence_used), " of ",
                      HumanBytes(f.evidence_limit));
}

using Row = std::vector<std::string>;

void PrintTable(std::vector<Row> rows) {
  std::vector<size_t> widths;
  for (const Row& row : rows) {
    widths.resize(row.size());
    for (size_t c = 0; c < row.size(); ++c) {
      widths[c] = std::max(widths[c], row[c].size());
    }
  }
  Row lines;
  for (const size_t width : widths) lines.emplace_back(width, '-');
  lines.back() = "---";
  rows.insert(rows.begin() + 1, lines);
  for (const Row& row : rows) {
    // The last column is a sentence: it ends where it ends.
    for (size_t c = 0; c + 1 < row.size(); ++c) {
      std::cout << absl::StrFormat("%-*s | ", static_cast<int>(widths[c]),
                                   row[c]);
    }
    std::cout << row.back() << "\n";
  }
  std::cout << std::endl;
}

// False when one was not recorded.
bool ProvokeAll(std::string_view backend, std::string_view ace,
                const std::string& program) {
  bool all = true;
  std::vector<Row> rows = {{"provoked", "entry point", "size", "cause",
                            "sub-cause", "evidence", "why, and the remedy"}};
  for (const Provocation& provocation : Provocations()) {
    const auto failure = Provoke(provocation, backend, ace, program);
    if (!failure.ok()) {
      std::cerr << "provoke_failures: " << failure.status().message() << "\n";
      all = false;
      continue;
    }
    rows.push_back({provocation.description, failure->entry,
                    Size(failure->size), failure->cause, failure->subcause,
                    Evidence(*failure), std::string(failure->Explanation())});
  }
  std::cout << backend << ", ACE " << ace << "\n\n";
  PrintTable(std::move(rows));
  return all;
}

int Main(const std::vector<std::string_view>& arguments) {
  std::vector<std::string_view> backends(std::begin(kBackends),
                                         std::end(kBackends));
  std::vector<std::string_view> aces(std::begin(kAces), std::end(kAces));
  for (std::string_view argument : arguments) {
    if (absl::ConsumePrefix(&argument, "--provoke=")) {
      return RunProvocation(std::string(argument));
    }
    auto& chosen = absl::StartsWith(argument, "--backend=") ? backends : aces;
    const bool known = absl::ConsumePrefix(&argument, "--backend=") ||
                       absl::ConsumePrefix(&argument, "--ace=");
    const bool there =
        std::find(chosen.begin(), chosen.end(), argument) != chosen.end();
    if (!known || !there) {
      std::cerr << "provoke_failures: " << argument
                << ": wants --backend=segment|superslab and "
                   "--ace=adaptive|fixed, each at most once\n";
      return 2;
    }
    chosen = {argument};
  }
  std::error_code ignored;
  const std::string program =
      std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  bool all = true;
  for (const std::string_view backend : backends) {
    for (const std::string_view ace : aces) {
      all = ProvokeAll(backend, ace, program) && all;
    }
  }
  return all ? 0 : 1;
}

}  // namespace
}  // namespace hakmem::tools

int main(int argc, char** argv) {
  return hakmem::tools::Main(
      std::vector<std::string_view>(argv + 1, argv + argc));
}
