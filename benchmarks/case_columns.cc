#include "benchmarks/case_columns.h"

#include "absl/strings/str_format.h"

namespace hakmem::bench {
namespace {

constexpr ExtraColumn kExtraColumns[] = {
    {"waste", &Summary::internal_waste,
     [](std::optional<double> value) {
       return value.has_value() ? absl::StrFormat("%.1f %%", *value * 100)
                                : "-";
     }},
    {"before", &Summary::resident_before_kib, Mebibytes},
    {"after", &Summary::resident_after_kib, Mebibytes},
    {"live", &Summary::live_after_kib, Mebibytes},
};

}  // namespace

TimeUnit UnitFor(const Comparison& comparison) {
  const std::vector<size_t> ranking = comparison.Ranking();
  const double least =
      ranking.empty() ? 0 : comparison.summary(ranking[0])->ns.median;
  if (least < 1e3) return {"ns", 1};
  if (least < 1e6) return {"us", 1e3};
  return {"ms", 1e6};
}

std::string Mebibytes(std::optional<double> kib) {
  return kib.has_value() ? absl::StrFormat("%.1f MiB", *kib / 1024) : "-";
}

std::vector<const ExtraColumn*> ExtraColumns(const Comparison& comparison) {
  std::vector<const ExtraColumn*> columns;
  for (const ExtraColumn& column : kExtraColumns) {
    for (const size_t who : comparison.Ranking()) {
      if (!((*comparison.summary(who)).*column.member).has_value()) continue;
      columns.push_back(&column);
      break;
    }
  }
  return columns;
}

}  // namespace hakmem::bench
