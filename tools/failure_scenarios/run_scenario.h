// Runs a failure scenario (scenarios.h) in a process of its own, and reads what
// the library recorded.
#ifndef HAKMEM_TOOLS_FAILURE_SCENARIOS_RUN_SCENARIO_H_
#define HAKMEM_TOOLS_FAILURE_SCENARIOS_RUN_SCENARIO_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tools/failure_scenarios/scenarios.h"

namespace hakmem::tools {

// Fields as in hakmem_failure_t.
struct RecordedFailure {
  std::string entry;
  std::string layer;
  std::string cause;
  std::string subcause;
  std::string text;  // the line that HAKMEM_ACE_TRACE prints
  uint64_t size = 0;
  uint64_t alignment = 0;
  uint64_t error = 0;
  uint64_t live_bytes = 0;
  uint64_t cached_bytes = 0;
  uint64_t limit_bytes = 0;
  uint64_t os_bytes = 0;
  uint64_t evidence_used = 0;
  uint64_t evidence_limit = 0;
  uint64_t set_limit = 0;  // what FailureScenario::run returned

  // The end of `text`: why it failed and what to do about it.
  std::string_view Explanation() const;
};

// Runs `scenario` on the library with this back-end and ACE, in a child
// process: `program --run=NAME`, which must call RunScenarioHere(NAME). The
// error is one line.
absl::StatusOr<RecordedFailure> RunScenario(const FailureScenario& scenario,
                                            std::string_view backend,
                                            std::string_view ace,
                                            const std::string& program);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_FAILURE_SCENARIOS_RUN_SCENARIO_H_
