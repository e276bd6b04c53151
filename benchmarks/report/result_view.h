// Reads result.json for the reports. Results refer to the given document, which
// must outlive this object; a missing member reads as empty.
#ifndef HAKMEM_BENCHMARKS_REPORT_RESULT_VIEW_H_
#define HAKMEM_BENCHMARKS_REPORT_RESULT_VIEW_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nlohmann/json.hpp"

namespace hakmem::bench {

class ResultView {
 public:
  using Json = nlohmann::ordered_json;

  explicit ResultView(const Json& result);

  const Json& result() const { return result_; }
  const Json& analysis() const { return At(result_, "analysis"); }

  // The member, or null.
  static const Json& At(const Json& object, std::string_view key);
  // "" and nothing for what is not there.
  static std::string Text(const Json& object, std::string_view key);
  static std::optional<double> Number(const Json& object, std::string_view key);

  // Those that took part, and those that were measured in a workload.
  const std::vector<const Json*>& allocators() const { return allocators_; }
  const Json& allocator(const std::string& key) const;
  bool IsOurs(const std::string& key) const;

  // Workloads in which anything was measured.
  const std::vector<const Json*>& workloads() const { return workloads_; }

  // Null when the allocator was not measured in the workload.
  const Json& Cell(const std::string& workload,
                   const std::string& allocator) const;
  // {"value": ...} of a cell; null when not measured.
  const Json& Metric(const std::string& workload, const std::string& allocator,
                     std::string_view metric) const;
  std::optional<double> Value(const std::string& workload,
                              const std::string& allocator,
                              std::string_view metric) const {
    return Number(Metric(workload, allocator, metric), "value");
  }
  // "ns", "bytes", ...
  std::string UnitOf(const std::string& metric) const;

 private:
  const Json& result_;
  std::vector<const Json*> allocators_;
  std::vector<const Json*> workloads_;
  std::map<std::pair<std::string, std::string>, const Json*> cells_;
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_REPORT_RESULT_VIEW_H_
