// Makes allocations fail on purpose, for each cause that the library tells
// apart, and prints what it recorded of each: a look at what a user is told.
//
// Exit status: 0 when each was recorded, 1 when one was not, 2 for bad flags.

#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "tools/command_line/command_line.h"
#include "tools/failure_scenarios/run_scenario.h"
#include "tools/failure_scenarios/scenarios.h"
#include "tools/text/human_bytes.h"
#include "tools/text/table.h"

namespace hakmem::tools {
namespace {

std::string Size(uint64_t bytes) {
  return bytes == UINT64_MAX ? "overflow" : HumanBytes(bytes);
}

std::string Evidence(const nlohmann::json& record) {
  const auto number = [&](const char* field) {
    return record.at(field).get<uint64_t>();
  };
  if (number("limit_bytes") != 0) {
    return absl::StrCat(
        HumanBytes(number("live_bytes") + number("cached_bytes")), " of ",
        HumanBytes(number("limit_bytes")));
  }
  const uint64_t used = number("evidence_used");
  const uint64_t limit = number("evidence_limit");
  if (limit == 0) return "-";
  if (record.at("subcause") == "max_map_count") {
    return absl::StrCat(used, " of ", limit);
  }
  return absl::StrCat(HumanBytes(used), " of ", HumanBytes(limit));
}

// False when one was not recorded.
bool RunAll(const std::string& backend, const std::string& ace,
            const std::string& program) {
  bool all = true;
  Table table({"scenario", "entry point", "size", "cause", "sub-cause",
               "evidence", "why, and the remedy"},
              {Table::Align::kLeft});
  for (const FailureScenario& scenario : FailureScenarios()) {
    const auto failure = RunScenario(scenario, backend, ace, program);
    if (!failure.ok()) {
      std::cerr << "failure_scenarios: " << failure.status().message() << "\n";
      all = false;
      continue;
    }
    const nlohmann::json& record = failure->record;
    table.AddRow({scenario.description, record.at("entry"),
                  Size(record.at("size")), record.at("cause"),
                  record.at("subcause"), Evidence(record),
                  record.at("explanation")});
  }
  std::cout << backend << ", ACE " << ace << "\n\n"
            << table.Render() << std::endl;
  return all;
}

int Main(const std::vector<std::string>& arguments) {
  std::vector<std::string> backends = {"segment", "superslab"};
  std::vector<std::string> aces = {"adaptive", "fixed"};
  std::string scenario;  // to run in this process, which has the library
  CLI::App app(
      "makes allocations fail in every way, and prints what is recorded",
      "failure_scenarios");
  SetDefaults(app);
  app.footer(
      "Usage: failure_scenarios [flags]\n"
      "Example: failure_scenarios --backend=segment --ace=adaptive");
  app.add_option("--backend", backends, "the only one to run on")
      ->expected(1)
      ->type_name("segment|superslab")
      ->check(OneOf(backends));
  app.add_option("--ace", aces, "the only form of ACE to run on")
      ->expected(1)
      ->type_name("adaptive|fixed")
      ->check(OneOf(aces));
  app.add_option("--run", scenario)->group("");
  int status;
  if (!ParseOrExplain(app, arguments, status)) return status;
  if (!scenario.empty()) return RunScenarioHere(scenario);
  std::error_code ignored;
  const std::string program =
      std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  bool all = true;
  for (const std::string& backend : backends) {
    for (const std::string& ace : aces) {
      all = RunAll(backend, ace, program) && all;
    }
  }
  return all ? 0 : 1;
}

}  // namespace
}  // namespace hakmem::tools

int main(int argc, char** argv) {
  return hakmem::tools::Main(std::vector<std::string>(argv + 1, argv + argc));
}
