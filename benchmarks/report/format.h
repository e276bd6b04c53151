// Numbers as people read them: the one place that knows units.
#ifndef HAKMEM_BENCHMARKS_REPORT_FORMAT_H_
#define HAKMEM_BENCHMARKS_REPORT_FORMAT_H_

#include <optional>
#include <string>
#include <string_view>

namespace hakmem::bench {

// A value in the unit that a metric has in result.json ("ns", "bytes", "count",
// "ratio", "per_second", "percent"): "6.84 ns", "9.0 MiB", "1.205". Nothing is
// "-".
std::string Show(std::optional<double> value, std::string_view unit);

// "9.0 MiB", "512 B"; also below 0.
std::string ShowBytes(double bytes);

// A unit of time in which that many nanoseconds have few digits.
struct TimeUnit {
  const char* name;    // "us"
  double nanoseconds;  // in one of it
};
TimeUnit TimeUnitFor(double nanoseconds);

// "0.885"; nothing is "-".
std::string ShowRatio(std::optional<double> ratio);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_REPORT_FORMAT_H_
