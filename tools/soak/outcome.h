// What came of a round, and of all rounds together, for people.
#ifndef HAKMEM_TOOLS_SOAK_OUTCOME_H_
#define HAKMEM_TOOLS_SOAK_OUTCOME_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tools/soak/plan.h"
#include "tools/soak/run_workers.h"

namespace hakmem::soak {

struct Outcome {
  // As the worker printed them; 0 of one that did not come to that.
  uint64_t operations = 0;
  uint64_t checked = 0;
  uint64_t refused = 0;
  uint64_t threads = 0;
  uint64_t forks = 0;
  uint64_t limits = 0;
  uint64_t peak_kib = 0;
  uint64_t errors = 0;  // at least one where the worker ended badly
  // What it wrote to stderr, and how it ended if badly; lines.
  std::vector<std::string> complaints;
};

Outcome JudgeEnding(const WorkerEnding& ending);

// Adds up; of peaks the highest.
void AddTo(Outcome& sum, const Outcome& one);

// One line without its end.
std::string Describe(const Round& round, const Outcome& outcome);
std::string DescribeSum(const Outcome& sum);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_OUTCOME_H_
