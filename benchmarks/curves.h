// How cost grows with the working set and with threads, and resident memory
// with what is live.
#ifndef HAKMEM_BENCHMARKS_CURVES_H_
#define HAKMEM_BENCHMARKS_CURVES_H_

#include <vector>

#include "benchmarks/analysis/standings.h"
#include "benchmarks/document.h"

namespace hakmem::bench {

// A section for each curve that has two points, with its figures as a table
// where all contenders share the marks of its axis.
std::vector<Section> CurveSections(const Standings& standings);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_CURVES_H_
