#include "benchmarks/harness/case.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace hakmem::bench {

std::string Case::Name() const {
  if (!workload.empty()) return workload;
  return absl::StrCat(slots, " slots, ", threads,
                      threads == 1 ? " thread" : " threads");
}

bool Case::LeavesOut(const std::string& contender) const {
  return std::find(left_out.begin(), left_out.end(), contender) !=
         left_out.end();
}

}  // namespace hakmem::bench
