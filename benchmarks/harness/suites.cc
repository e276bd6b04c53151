#include "benchmarks/harness/suites.h"

namespace hakmem::bench {

const std::vector<Suite>& Suites() {
  static const auto* const suites = new std::vector<Suite>{
      {.key = "default",
       .title = "Random-mixed",
       .description = "Small blocks at random, in working sets and on threads "
                      "of your choice.",
       .grid = true,
       .repeats = 15,
       .seconds = 150},
      {.key = "ace",
       .title = "Adaptive pool",
       .description = "HAKMEM's pool for sizes above 2 KiB: adaptive, fixed "
                      "and off.",
       .workloads = {"steady-64", "steady-4096", "phase-shift", "bursts",
                     "messages", "realloc"},
       .slow_every = 3,
       .pool_variants = true,
       .needs_pool_variants = true,
       .repeats = 9,
       .seconds = 250},
      {.key = "quick",
       .title = "Quick look",
       .description = "A look at many workloads, with little work each.",
       .quick_look = true,
       .effort = 25,
       .pool_variants = true,
       .repeats = 3,
       .seconds = 600},
      {.key = "full",
       .title = "Full comparison",
       .description = "All workloads, with all their work.",
       .pool_variants = true,
       .repeats = 5,
       .seconds = 3000},
  };
  return *suites;
}

const Suite* FindSuite(std::string_view key) {
  for (const Suite& suite : Suites()) {
    if (key == suite.key) return &suite;
  }
  return nullptr;
}

}  // namespace hakmem::bench
