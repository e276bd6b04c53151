// For tests of worker programs that have a list of workloads (workload.h).
#ifndef HAKMEM_BENCHMARKS_TESTING_WORKER_TEST_HELPER_H_
#define HAKMEM_BENCHMARKS_TESTING_WORKER_TEST_HELPER_H_

#include <string>
#include <vector>

#include "benchmarks/harness/process.h"
#include "benchmarks/harness/json.h"

namespace hakmem::bench {

// What the workload `name` printed, one line that the programs which start
// workers understand; null, and a failure, when `result` is not that of a
// worker that did well.
Json ParseWorkerLine(const ProcessResult& result, const std::string& name);

// The same of the workload run with --seed=7, `effort` ("--effort=2") and then
// `more`.
Json RunOnWorker(const std::string& worker, const std::string& name,
                 const std::string& effort,
                 const std::vector<std::string>& more);

// The number under `key`; -1, and a failure, when there is none.
double Number(const Json& json, const std::string& key);

// --probe says whose malloc serves the worker.
void ExpectProbeSaysWhoServes(const std::string& worker);

// Bad arguments, and none, are one line on stderr and exit status 2.
void ExpectBadArgumentsAreRefused(const std::string& worker);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_TESTING_WORKER_TEST_HELPER_H_
