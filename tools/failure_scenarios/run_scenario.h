// What the library recorded of a failure that was provoked (provocations.h).
#ifndef HAKMEM_TOOLS_FAILURE_SCENARIOS_RUN_SCENARIO_H_
#define HAKMEM_TOOLS_FAILURE_SCENARIOS_RUN_SCENARIO_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tools/failure_scenarios/scenarios.h"

namespace hakmem::tools {

// Fields as in hakmem_failure_t.
struct ProvokedFailure {
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
  uint64_t set_limit = 0;  // what Provocation::run returned

  // The end of `text`: why it failed and what to do about it.
  std::string_view Explanation() const;
};

// Runs `provocation` on the library with this back-end and ACE, in a child that
// is `program` with the argument --provoke=NAME and passes that name to
// RunProvocation. The error is one line.
absl::StatusOr<ProvokedFailure> Provoke(const Provocation& provocation,
                                        std::string_view backend,
                                        std::string_view ace,
                                        const std::string& program);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_FAILURE_SCENARIOS_RUN_SCENARIO_H_
