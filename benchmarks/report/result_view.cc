#include "benchmarks/report/result_view.h"

namespace hakmem::bench {
namespace {

using Json = ResultView::Json;

const Json& Null() {
  static const Json* const null = new Json();
  return *null;
}

}  // namespace

const Json& ResultView::At(const Json& object, std::string_view key) {
  if (!object.is_object()) return Null();
  const auto found = object.find(std::string(key));
  return found == object.end() ? Null() : *found;
}

std::string ResultView::Text(const Json& object, std::string_view key) {
  const Json& member = At(object, key);
  return member.is_string() ? member.get<std::string>() : "";
}

std::optional<double> ResultView::Number(const Json& object,
                                         std::string_view key) {
  const Json& member = At(object, key);
  return member.is_number() ? std::optional(member.get<double>())
                            : std::nullopt;
}

ResultView::ResultView(const Json& result) : result_(result) {
  for (const Json& cell : At(analysis(), "cells")) {
    cells_[{Text(cell, "workload"), Text(cell, "allocator")}] = &cell;
  }
  for (const Json& allocator : At(result_, "allocators")) {
    if (!allocator.contains("absent")) allocators_.push_back(&allocator);
  }
  for (const Json& workload : At(result_, "workloads")) {
    for (const Json* const allocator : allocators_) {
      if (!Cell(Text(workload, "key"), Text(*allocator, "key")).is_null()) {
        workloads_.push_back(&workload);
        break;
      }
    }
  }
}

const Json& ResultView::allocator(const std::string& key) const {
  for (const Json& each : At(result_, "allocators")) {
    if (Text(each, "key") == key) return each;
  }
  return Null();
}

bool ResultView::IsOurs(const std::string& key) const {
  return Text(allocator(key), "role") == "ours";
}

const Json& ResultView::Cell(const std::string& workload,
                             const std::string& allocator) const {
  const auto found = cells_.find({workload, allocator});
  return found == cells_.end() ? Null() : *found->second;
}

const Json& ResultView::Metric(const std::string& workload,
                               const std::string& allocator,
                               std::string_view metric) const {
  return At(At(Cell(workload, allocator), "metrics"), metric);
}

std::string ResultView::UnitOf(const std::string& metric) const {
  for (const Json& each : At(result_, "metrics")) {
    if (Text(each, "key") == metric) return Text(each, "unit");
  }
  return "count";
}

}  // namespace hakmem::bench
