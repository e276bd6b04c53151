// The parts that the terminal and the Markdown file are made of: titles, some
// text, and tables, read from result.json.
#ifndef HAKMEM_BENCHMARKS_REPORT_SECTIONS_H_
#define HAKMEM_BENCHMARKS_REPORT_SECTIONS_H_

#include <string>
#include <vector>

#include "benchmarks/report/result_view.h"

namespace hakmem::bench {

struct Section {
  std::string title;
  std::string text;                            // a paragraph; may be empty
  std::vector<std::string> header;             // empty: no table
  std::vector<std::vector<std::string>> rows;  // a cell alone spans its row
  bool is_list = false;  // the rows are sentences; columns do not matter
};

// Everybody's time and memory over those of the best single peer.
Section BarsSection(const ResultView& view);
// Geometric means by kind: of "time", or of "memory".
Section MeansSection(const ResultView& view, const std::string& what);
// Where HAKMEM is not first, the worst first: one section for each back-end and
// metric, with `most` rows at most.
std::vector<Section> BehindSections(const ResultView& view, size_t most);
std::vector<Section> CurveSections(const ResultView& view);
// For each kind, its workloads as rows, with times (or peaks) over those of the
// best peer.
std::vector<Section> KindSections(const ResultView& view,
                                  const std::string& what);
// One for each workload: all that was measured of everybody.
std::vector<Section> WorkloadSections(const ResultView& view);
// HAKMEM's own figures, for each workload in which it gives them.
std::vector<Section> CounterSections(const ResultView& view);
// What became better and worse; without title when there is no former result.
Section AgainstSection(const ResultView& view);
Section AbsentSection(const ResultView& view);
Section FailuresSection(const ResultView& view);
Section CriteriaSection(const ResultView& view);
// The machine, the allocators and their versions.
Section ProvenanceSection(const ResultView& view);

// What the columns of WorkloadSections mean.
std::string ColumnsLegend(const ResultView& view);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_REPORT_SECTIONS_H_
