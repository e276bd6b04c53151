// Compares a run with an earlier one of the same suite: where HAKMEM became
// better or worse, after the drift of the machine is removed.
//
// The floor and the peers are unchanged programs. The geometric mean of their
// changes, per metric, is the machine's drift. A change of HAKMEM is reported
// when it exceeds the drift, the intervals of both runs and the spread of the
// peers' changes.
#ifndef HAKMEM_BENCHMARKS_ANALYSIS_AGAINST_H_
#define HAKMEM_BENCHMARKS_ANALYSIS_AGAINST_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "benchmarks/analysis/cells.h"

namespace hakmem::bench {

// What is needed of a former result.json.
struct FormerResult {
  using Key = std::tuple<std::string, std::string, std::string>;
  std::string suite;
  double effort = 0;
  std::string cpu;
  double cores = 0;
  std::map<Key, Spread> spreads;  // by workload, allocator, metric
  std::set<std::pair<std::string, std::string>> failures;
};

// Nothing when the text is no result of this format: then `error` (one line)
// says why.
std::optional<FormerResult> ReadFormerResult(std::string_view text,
                                             std::string& error);

// Why a run of that suite and effort cannot be set beside the former one; empty
// when it can.
std::string WhyNotComparable(const FormerResult& former,
                             const std::string& suite, double effort);

enum class Change { kBetter, kWorse, kSame };

struct AgainstRow {
  std::string workload;
  std::string allocator;
  std::string metric;
  double before = 0;
  double after = 0;
  double ratio = 1;    // after over before, less the drift; below 1 is better
  bool fails = false;  // it did well then; the numbers say nothing
  Change change = Change::kSame;
};

struct Against {
  std::string file;                        // of the former result
  std::vector<std::string> normalised_by;  // allocators; empty: by nobody
  std::map<std::string, double> drifts;    // by metric, after over before
  std::map<std::string, double> noise;     // by metric: a ratio within is none
  bool other_machine = false;
  std::vector<AgainstRow> rows;  // failures first, then by ratio, worst first

  bool any_worse() const;
};

// Of HAKMEM's variants that both runs have, in the cases that both have: time
// and peak memory.
Against CompareWith(const FormerResult& former, const Cells& now);

const char* ChangeKey(Change change);  // "better"

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_ANALYSIS_AGAINST_H_
