#include "benchmarks/harness/sample.h"

#include <utility>

namespace hakmem::bench {
namespace {

// Stores the member's number; false when it has none.
bool Require(const Json& object, std::string_view key, double& number) {
  const std::optional<double> found = object[key].number();
  if (found.has_value()) number = *found;
  return found.has_value();
}

bool ParseBooks(const Json& line, Books& books) {
  const Json& statistics = line["statistics"];
  return Require(statistics, "chunks", books.chunks) &&
         Require(statistics, "slabs", books.slabs) &&
         Require(statistics, "slab_live_bytes", books.slab_live) &&
         Require(statistics, "slab_committed_bytes", books.slab_committed);
}

// Null is no series; other things than pairs of numbers are an error.
bool ParseSeries(const Json& points,
                 std::vector<std::pair<double, double>>& series) {
  for (const Json& point : points.items()) {
    if (point.items().size() != 2) return false;
    const auto live = point.items()[0].number();
    const auto resident = point.items()[1].number();
    if (!live.has_value() || !resident.has_value()) return false;
    series.emplace_back(*live, *resident);
  }
  return true;
}

}  // namespace

std::optional<Sample> Sample::Parse(std::string_view line) {
  std::optional<Json> json = Json::Parse(line);
  if (!json.has_value()) return std::nullopt;
  return FromJson(*std::move(json));
}

std::optional<Sample> Sample::FromJson(Json json) {
  Sample sample;
  if (!Require(json, "threads", sample.threads) ||
      !Require(json, "operations", sample.operations) ||
      !Require(json, "wall_ns", sample.wall_ns) ||
      !Require(json, "cpu_ns", sample.cpu_ns) ||
      !Require(json, "peak_rss_kib", sample.peak_rss_kib) ||
      !Require(json, "minor_faults", sample.minor_faults)) {
    return std::nullopt;
  }
  sample.cycles = json["cycles"].number();
  sample.cache_misses = json["cache_misses"].number();
  sample.dtlb_misses = json["dtlb_misses"].number();
  sample.instructions = json["instructions"].number();
  sample.libc_malloc_bytes = json["libc_malloc_bytes"].number();
  sample.internal_waste = json["internal_waste"].number();
  sample.resident_before_kib = json["resident_before_kib"].number();
  sample.resident_after_kib = json["resident_after_kib"].number();
  sample.live_after_kib = json["live_after_kib"].number();
  if (!json["statistics"].is_null()) {
    Books books;
    if (!ParseBooks(json, books)) return std::nullopt;
    sample.books = books;
  }
  if (!ParseSeries(json["series"], sample.series)) return std::nullopt;
  json.Remove("malloc_library");  // where files lie is nobody's business
  sample.raw = std::move(json);
  return sample;
}

}  // namespace hakmem::bench
