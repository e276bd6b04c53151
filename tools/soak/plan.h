// Plans a round of the soak: library, options, threads and length. They depend
// only on the flags, the seed and the round's number, so that a single round
// can be repeated.
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
  std::string library;  // file name; the path with --library
  uint64_t seed;
  uint64_t threads;
  std::chrono::milliseconds length;
  std::vector<std::string> options;  // "HAKMEM_DECAY=0"
};

Round PlanRound(const SoakFlags& flags, uint64_t seed, uint64_t number);

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_PLAN_H_
