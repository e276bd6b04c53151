// Everything that can be run, by kind. The workloads of a kind are listed where
// they are written: workloads/KIND/KIND.def.
#ifndef HAKMEM_BENCHMARKS_HARNESS_CATALOGUE_H_
#define HAKMEM_BENCHMARKS_HARNESS_CATALOGUE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "benchmarks/harness/case.h"

namespace hakmem::bench {

inline constexpr char kRandomMixedWorker[] =
    "benchmarks/workloads/random_mixed/random_mixed_worker";

struct Kind {
  const char* key;
  const char* title;
};

// In the order of the reports.
const std::vector<Kind>& Kinds();

// A curve: how the time of an operation grows over the cases that are on it.
struct Curve {
  const char* key;
  const char* title;
  const char* x_title;
};

const std::vector<Curve>& Curves();

// Random-mixed with that many slots for each thread, in the grid of the suite
// "default". `operations` per thread.
Case GridCase(uint64_t slots, uint64_t threads, uint64_t operations);

// Its key: "random-mixed-256" on one thread, else "random-mixed-256-2-threads".
std::string GridKey(uint64_t slots, uint64_t threads);

// Keys of random-mixed among the cases below: by working set on one thread, and
// by threads.
std::string RandomMixedKey(uint64_t slots);
std::string RandomMixedThreadsKey(uint64_t threads);

// All workloads, or those for a quick look; `effort` in percent of the usual
// work, which takes seconds at most. Slow ones run in every `slow_every`
// repeats.
std::vector<Case> CatalogueCases(bool quick, uint64_t effort,
                                 uint64_t slow_every);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_CATALOGUE_H_
