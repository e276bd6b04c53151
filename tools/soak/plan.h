// What a round of the soak is: which library, with which options, for how long.
// All of it follows from the flags, the seed and the round's number, so that
// one round can be run again.
#ifndef HAKMEM_TOOLS_SOAK_PLAN_H_
#define HAKMEM_TOOLS_SOAK_PLAN_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/soak/soak_flags.h"

namespace hakmem::soak {

struct Round {
  uint64_t number;
  std::string library;  // the file's name; of --library, its path
  uint64_t seed;
  uint64_t threads;
  std::chrono::milliseconds length;
  std::vector<std::string> options;  // "HAKMEM_DECAY=0"
};

Round PlanRound(const SoakFlags& flags, uint64_t seed, uint64_t number);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_PLAN_H_
