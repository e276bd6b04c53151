#include "benchmarks/harness/worker_case.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hakmem::bench {

Case RandomMixedCase(uint64_t slots, uint64_t threads, uint64_t operations) {
  Case a_case = {slots, threads};
  a_case.worker = kRandomMixedWorker;
  a_case.arguments = {absl::StrCat("--slots=", slots),
                      absl::StrCat("--threads=", threads),
                      absl::StrCat("--operations=", operations)};
  a_case.limit = std::chrono::milliseconds(60'000 + (operations + 16 * slots) *
                                                        threads / 500);
  return a_case;
}

Case WorkerCase(const std::string& worker, Case workload, uint64_t effort) {
  workload.worker = worker;
  workload.arguments = {absl::StrCat("--workload=", workload.workload),
                        absl::StrCat("--effort=", effort)};
  workload.limit = std::chrono::seconds(60 + 3 * effort);
  return workload;
}

}  // namespace hakmem::bench
