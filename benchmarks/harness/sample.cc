#include "benchmarks/harness/sample.h"

#include "benchmarks/harness/metrics.h"
#include "nlohmann/json.hpp"

namespace hakmem::bench {
namespace {

using nlohmann::json;

constexpr double kKib = 1024;

// What every line has.
constexpr const char* kRequired[] = {"/threads",      "/operations",
                                     "/wall_ns",      "/cpu_ns",
                                     "/peak_rss_kib", "/minor_faults"};

}  // namespace

std::optional<Sample> ParseWorkerLine(std::string_view line, const Case& a_case,
                                      uint64_t cores) {
  json parsed = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) return std::nullopt;
  Sample sample;
  for (const json& point : parsed.value("series", json::array())) {
    if (!point.is_array() || point.size() != 2 || !point[0].is_number() ||
        !point[1].is_number()) {
      return std::nullopt;
    }
    sample.series.emplace_back(point[0].get<double>() * kKib,
                               point[1].get<double>() * kKib);
  }
  parsed.erase("series");
  RawNumbers raw;
  const json flat = parsed.flatten();
  for (const auto& [place, value] : flat.items()) {
    if (value.is_number()) raw[place] = value.get<double>();
  }
  for (const char* const place : kRequired) {
    if (raw.count(place) == 0) return std::nullopt;
  }
  sample.values = MetricsOf(
      raw,
      {.threads = a_case.threads, .per_core = a_case.per_core, .cores = cores});
  return sample;
}

}  // namespace hakmem::bench
