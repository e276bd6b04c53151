// Makes cases of what the worker programs can run.
#ifndef HAKMEM_BENCHMARKS_HARNESS_WORKER_CASE_H_
#define HAKMEM_BENCHMARKS_HARNESS_WORKER_CASE_H_

#include <cstdint>
#include <string>

#include "benchmarks/harness/case.h"

namespace hakmem::bench {

inline constexpr char kRandomMixedWorker[] =
    "benchmarks/workloads/random_mixed/random_mixed_worker";

// `operations` per thread. The limit is a hundred times what is usual.
Case RandomMixedCase(uint64_t slots, uint64_t threads, uint64_t operations);

// `workload` with what runs it: the program that has it in its list
// (workload.h), its arguments, and a limit. `effort` in percent of the usual
// work, which takes seconds at most.
Case WorkerCase(const std::string& worker, Case workload, uint64_t effort);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_WORKER_CASE_H_
