// Bar charts for a terminal.
#ifndef HAKMEM_BENCHMARKS_REPORT_CHART_H_
#define HAKMEM_BENCHMARKS_REPORT_CHART_H_

#include <cstddef>
#include <string>

namespace hakmem::bench {

// Whether the terminal shows UTF-8, by the locale in the environment.
bool TerminalShowsUtf8();

// A bar for `value` where `full` fills `width` columns: in eighths of a column
// with Unicode's blocks, else in whole columns of '#'. Not padded. Values
// below 0 make no bar, those above `full` a full one.
std::string Bar(double value, double full, size_t width, bool unicode);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_REPORT_CHART_H_
