// What the project asked of its allocator, and what was reached: each criterion
// for each of HAKMEM's variants, judged on what was measured in this run and on
// nothing else. Every suite has a function that makes its Judgement.
#ifndef HAKMEM_BENCHMARKS_CRITERIA_H_
#define HAKMEM_BENCHMARKS_CRITERIA_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/harness/results.h"

namespace hakmem::bench {

struct Verdict {
  std::optional<double> measured;  // nothing: not measured in this run
  std::optional<double> limit;     // nothing: what it hangs on is missing
  bool reached = false;            // false unless both are there
};

struct Criterion {
  std::string asked;  // "at least 1.2 x glibc's throughput, 256 slots"
  uint64_t threads;   // of the case it was judged in; 0: that says nothing
  int digits;         // after the point, when shown
  std::vector<Verdict> verdicts;  // one per contender judged
};

enum class Bound {
  kAtMost,
  kAtLeast,
  kBelow,  // of things that cannot be negative
};

class Judgement {
 public:
  // `judged`: indexes of contenders.
  explicit Judgement(std::vector<size_t> judged) : judged_(std::move(judged)) {}

  const std::vector<size_t>& judged() const { return judged_; }
  const std::vector<Criterion>& criteria() const& { return criteria_; }
  // Of a temporary: a loop over them outlives it.
  std::vector<Criterion> criteria() && { return std::move(criteria_); }

  // Judges each contender by what `measure` says of it.
  using Measure = std::function<std::optional<double>(size_t contender)>;
  void Add(std::string asked, uint64_t threads, int digits, Bound bound,
           std::optional<double> limit, const Measure& measure);

 private:
  std::vector<size_t> judged_;
  std::vector<Criterion> criteria_;
};

// Indexes of HAKMEM's variants among the contenders.
std::vector<size_t> Variants(const Results& results);

// The back-ends: HAKMEM's variants but those with another adaptive pool or
// hardening, which bear the name of a back-end and a hyphen.
std::vector<size_t> BackEnds(const Results& results);

// "1.92 yes", "3.10 no", or "-" when not measured.
std::string VerdictText(const Verdict& verdict, int digits);

// The judgement as rows of text, header first: what was asked, the threads
// where they say something, and the verdicts.
std::vector<std::vector<std::string>> VerdictRows(const Results& results,
                                                  const Judgement& judgement);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_CRITERIA_H_
