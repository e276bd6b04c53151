// What tables of one workload have in common: a unit in which times are
// readable, and the columns that only some workloads have.
#ifndef HAKMEM_BENCHMARKS_CASE_COLUMNS_H_
#define HAKMEM_BENCHMARKS_CASE_COLUMNS_H_

#include <optional>
#include <string>
#include <vector>

#include "benchmarks/analysis/comparison.h"
#include "benchmarks/harness/results.h"

namespace hakmem::bench {

struct TimeUnit {
  const char* name;    // "ns", "us" or "ms"
  double nanoseconds;  // in one
};
// By the fastest.
TimeUnit UnitFor(const Comparison& comparison);

// "1.5 MiB"; "-" for nothing.
std::string Mebibytes(std::optional<double> kib);

struct ExtraColumn {
  const char* title;
  std::optional<double> Summary::*member;
  std::string (*show)(std::optional<double> value);
};
// Those that somebody here has a figure for.
std::vector<const ExtraColumn*> ExtraColumns(const Comparison& comparison);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_CASE_COLUMNS_H_
