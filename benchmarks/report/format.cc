#include "benchmarks/report/format.h"

#include <cmath>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hakmem::bench {

std::string Show(std::optional<double> value, std::string_view unit) {
  if (!value.has_value()) return "-";
  if (unit == "bytes") return ShowBytes(*value);
  if (unit == "ns") {
    const TimeUnit scale = TimeUnitFor(*value);
    return absl::StrFormat("%.2f %s", *value / scale.nanoseconds, scale.name);
  }
  if (unit == "ratio") return ShowRatio(value);
  if (unit == "percent") return absl::StrFormat("%.1f %%", *value);
  if (unit == "per_second") {
    return absl::StrFormat("%.1f M/s", *value / 1e6);
  }
  // Counts are whole, but for those per operation.
  if (*value == std::floor(*value)) return absl::StrFormat("%.0f", *value);
  return absl::StrFormat(*value < 0.1 ? "%.4f" : "%.1f", *value);
}

std::string ShowBytes(double bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  while (std::abs(bytes) >= 1024 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return absl::StrFormat(unit == 0 ? "%.0f %s" : "%.1f %s", bytes,
                         kUnits[unit]);
}

TimeUnit TimeUnitFor(double nanoseconds) {
  if (nanoseconds < 1e3) return {"ns", 1};
  if (nanoseconds < 1e6) return {"us", 1e3};
  return {"ms", 1e6};
}

std::string ShowRatio(std::optional<double> ratio) {
  return ratio.has_value() ? absl::StrFormat("%.3f", *ratio) : "-";
}

}  // namespace hakmem::bench
