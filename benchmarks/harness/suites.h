// The suites, as data: what each runs, on whom, and how often.
#ifndef HAKMEM_BENCHMARKS_HARNESS_SUITES_H_
#define HAKMEM_BENCHMARKS_HARNESS_SUITES_H_

#include <cstdint>
#include <string_view>
#include <vector>

namespace hakmem::bench {

struct Suite {
  const char* key;  // as --suite takes it
  const char* title;
  const char* description;  // one sentence
  // What it runs: the grid of random-mixed (--sets, --threads, --ops), or
  // workloads of the catalogue.
  bool grid = false;
  bool quick_look = false;  // of the catalogue, those for one
  std::vector<const char*> workloads =
      {};                   // of the catalogue, these; empty: all
  uint64_t slow_every = 5;  // repeats, for workloads that take long
  uint64_t effort = 100;    // percent of the usual work

  bool pool_variants = false;  // also runs HAKMEM with ACE fixed and off
  // Whether the suite is useless without those variants, and so ends at once
  // when they are not built.
  bool needs_pool_variants = false;

  uint64_t repeats;
  uint64_t seconds;  // no repeat begins after; unless --repeats is given
};

const std::vector<Suite>& Suites();

// Null when there is none.
const Suite* FindSuite(std::string_view key);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_SUITES_H_
