// Ways to make an allocation fail on purpose, at least one for each cause that
// the library tells apart.
//
// Each runs in a process of its own, which has the library preloaded and whose
// limits it may spoil; provoked_failure.h starts it.
#ifndef HAKMEM_TOOLS_FAILURE_SCENARIOS_SCENARIOS_H_
#define HAKMEM_TOOLS_FAILURE_SCENARIOS_SCENARIOS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace hakmem::tools {

struct Provocation {
  const char* name;
  const char* description;  // for people
  const char* environment;  // "NAME=value" that the library needs, or ""
  bool needs_faults;        // calls to the OS that can be made to fail
  // Provokes it; returns the limit that was set, in the unit of the evidence, 0
  // when there is none. Runs on the preloaded library.
  uint64_t (*run)();
};

const std::vector<Provocation>& Provocations();

// In such a process: runs the provocation called `name` and prints the newest
// record, a line "field=value" for each field of ProvokedFailure. Returns the
// exit status.
int RunProvocation(const std::string& name);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_FAILURE_SCENARIOS_SCENARIOS_H_
