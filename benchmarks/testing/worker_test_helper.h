// For tests of worker programs (worker/workload.h).
#ifndef HAKMEM_BENCHMARKS_TESTING_WORKER_TEST_HELPER_H_
#define HAKMEM_BENCHMARKS_TESTING_WORKER_TEST_HELPER_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/harness/process.h"

namespace hakmem::bench {

// What a worker printed, by key.
struct WorkerLine {
  // Empty, and a failure, when the text is not one line of JSON.
  static WorkerLine Parse(const std::string& text);

  // "" when there is none.
  std::string Text(const std::string& key) const {
    const auto found = texts.find(key);
    return found == texts.end() ? "" : found->second;
  }

  std::map<std::string, double> numbers;
  std::map<std::string, std::string> texts;
  std::vector<std::pair<double, double>> series;
  bool has_statistics = false;
};

// What the workload `name` printed, one line that the programs which start
// workers understand; empty, and a failure, when `result` is not that of a
// worker that did well.
WorkerLine LineOf(const ProcessResult& result, const std::string& name);

// The same of the workload run with --seed=7, `effort` ("--effort=2") and then
// `more`.
WorkerLine RunOnWorker(const std::string& worker, const std::string& name,
                       const std::string& effort,
                       const std::vector<std::string>& more);

// The number under `key`; -1, and a failure, when there is none.
double Number(const WorkerLine& line, const std::string& key);

// What holds of every workload that ran for a moment with --seed=7: times, peak
// memory and page faults that can be.
void ExpectSane(const WorkerLine& line, const std::string& name);

// --probe says whose malloc serves the worker.
void ExpectProbeSaysWhoServes(const std::string& worker);

// Bad arguments, and none, are one line on stderr and exit status 2.
void ExpectBadArgumentsAreRefused(const std::string& worker);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_TESTING_WORKER_TEST_HELPER_H_
