// Ways to make an allocation fail on purpose, at least one for each cause that
// the library tells apart.
//
// Each runs in a process of its own, which has the library preloaded and whose
// limits it may spoil; run_scenario.h starts it.
#ifndef HAKMEM_TOOLS_FAILURE_SCENARIOS_SCENARIOS_H_
#define HAKMEM_TOOLS_FAILURE_SCENARIOS_SCENARIOS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace hakmem::tools {

struct FailureScenario {
  const char* name;
  const char* description;  // for people
  const char* environment;  // "NAME=value" that the library needs, or ""
  bool needs_faults;        // calls to the OS that can be made to fail
  // Makes it happen; returns the limit that was set, in the unit of the
  // evidence, 0 when there is none. Runs on the preloaded library.
  uint64_t (*run)();
};

const std::vector<FailureScenario>& FailureScenarios();

// In such a process: runs the scenario called `name` and prints one JSON
// object: "set_limit", what it returned, and "failure", the newest record as
// hakmem_failure_json has it. Returns the exit status.
int RunScenarioHere(const std::string& name);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_FAILURE_SCENARIOS_SCENARIOS_H_
