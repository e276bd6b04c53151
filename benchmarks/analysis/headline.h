// The answer to "should I switch, and what does it cost".
#ifndef HAKMEM_BENCHMARKS_ANALYSIS_HEADLINE_H_
#define HAKMEM_BENCHMARKS_ANALYSIS_HEADLINE_H_

#include <optional>
#include <string>
#include <vector>

#include "benchmarks/analysis/ranking.h"

namespace hakmem::bench {

// Time and peak memory over those of one peer, as geometric means.
struct Bar {
  size_t allocator;
  std::optional<double> time;
  std::optional<double> memory;
};

struct Headline {
  size_t allocator;       // of HAKMEM's back-ends the faster one
  size_t versus;          // the best single peer
  Bar standing;           // of the allocator
  std::vector<Bar> bars;  // everybody but the floor, HAKMEM first
  std::string sentence;
};

// Nothing when neither HAKMEM nor a peer was measured.
std::optional<Headline> MakeHeadline(const Ranking& ranking);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_ANALYSIS_HEADLINE_H_
