// The result for a terminal: the answer first, the goals last, 80 columns where
// the names allow it.
#ifndef HAKMEM_BENCHMARKS_REPORT_TERMINAL_H_
#define HAKMEM_BENCHMARKS_REPORT_TERMINAL_H_

#include <string>

#include "nlohmann/json_fwd.hpp"

namespace hakmem::bench {

struct TerminalStyle {
  bool unicode = false;
  bool colour = false;
};

// What stdout is: colour on a terminal alone, and not where NO_COLOR is set or
// TERM is dumb.
TerminalStyle StyleOfStdout();

std::string TerminalReport(const nlohmann::ordered_json& result,
                           const TerminalStyle& style);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_REPORT_TERMINAL_H_
