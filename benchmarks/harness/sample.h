// Everything measured: one sample for each run of a worker.
#ifndef HAKMEM_BENCHMARKS_HARNESS_SAMPLE_H_
#define HAKMEM_BENCHMARKS_HARNESS_SAMPLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "benchmarks/harness/allocators.h"
#include "benchmarks/harness/case.h"

namespace hakmem::bench {

struct Sample {
  size_t a_case = 0;  // indexes of Measurements
  size_t allocator = 0;
  uint64_t repeat = 0;                        // from 0
  std::map<std::string, double> values = {};  // by key of metrics.h
  // Live and resident bytes, one after another as the workload ran.
  std::vector<std::pair<double, double>> series = {};
  std::string failure = {};  // one line; empty: it did well
};

// What a worker's line says; nothing when the line is not what a worker prints.
// Fills in `values` and `series`.
std::optional<Sample> ParseWorkerLine(std::string_view line, const Case& a_case,
                                      uint64_t cores);

struct Measurements {
  std::vector<Allocator> allocators;
  std::vector<Case> cases;
  std::vector<std::string> absences = {};  // by case: why it cannot run here
  std::vector<Sample> samples = {};
  uint64_t cores = 1;  // that threads can run on
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_SAMPLE_H_
