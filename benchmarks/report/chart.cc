#include "benchmarks/report/chart.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace hakmem::bench {

bool TerminalShowsUtf8() {
  // The first of these that is set decides.
  for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string lower = absl::AsciiStrToLower(value);
    return absl::StrContains(lower, "utf-8") ||
           absl::StrContains(lower, "utf8");
  }
  return false;
}

std::string Bar(double value, double full, size_t width, bool unicode) {
  if (!(value > 0) || !(full > 0)) return "";
  const double columns =
      std::min(value / full, 1.0) * static_cast<double>(width);
  if (!unicode) {
    return std::string(static_cast<size_t>(std::lround(columns)), '#');
  }
  static constexpr const char* kPartial[] = {"",  "▏", "▎", "▍",
                                             "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<size_t>(std::lround(columns * 8));
  std::string bar;
  for (size_t i = 0; i < eighths / 8; ++i) bar += "█";
  return bar + kPartial[eighths % 8];
}

}  // namespace hakmem::bench
