// What came of a round, and of all rounds together, for people.
#ifndef HAKMEM_TOOLS_SOAK_OUTCOME_H_
#define HAKMEM_TOOLS_SOAK_OUTCOME_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/soak/plan.h"
#include "tools/subprocess/subprocess.h"

namespace hakmem::soak {

struct Outcome {
  // The worker's counters by name (worker.cc prints them); none of one that did
  // not come to that.
  std::map<std::string, uint64_t> counters;
  uint64_t errors = 0;  // at least one where the worker ended badly
  // What it wrote to stderr, and how it ended if badly; lines.
  std::vector<std::string> messages;
};

Outcome OutcomeOf(const tools::ProcessResult& worker);

// Adds up; of peaks the highest.
void AddTo(Outcome& sum, const Outcome& one);

// One line without its end.
std::string Describe(const Round& round, const Outcome& outcome);
std::string DescribeSum(const Outcome& sum);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_OUTCOME_H_
