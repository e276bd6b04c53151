// The course of a program that compares allocators: finds who takes part, runs
// them, prints the report and writes the files. What is compared is a Suite.
#ifndef HAKMEM_BENCHMARKS_DRIVER_H_
#define HAKMEM_BENCHMARKS_DRIVER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/criteria.h"
#include "benchmarks/harness/contenders.h"
#include "benchmarks/harness/results.h"
#include "benchmarks/harness/run_options.h"

namespace hakmem::bench {

// Exit statuses of such a program beside 0.
inline constexpr int kFailed = 1;         // an allocator, or writing a file
inline constexpr int kBadInput = 2;       // flags, or what cannot be preloaded
inline constexpr int kInterrupted = 130;  // reports what there is

// A file of --out.
struct ReportFile {
  std::string extension;  // "json"
  std::function<std::string(const Results& results, const Judgement& judgement,
                            const RunInfo& info)>
      make;
};

// What remains to be said at the end.
struct Conclusion {
  std::string text;
  bool failed = false;  // so the program ends with kFailed
};

struct Suite {
  std::string program;    // names the files of --out and begins error messages
  std::string name;       // "random-mixed"
  std::string amount;     // of work in a run, "runs of 1000 operations"
  uint64_t effort = 100;  // percent of the usual work
  Field field;
  std::vector<Case> cases;
  bool failure_ends = true;  // as in Plan (schedule.h)

  std::function<Judgement(const Results& results)> judge;
  std::function<std::string(const Results& results, const Judgement& judgement,
                            bool unicode)>
      text_report;
  std::vector<ReportFile> files;
  std::function<Conclusion(const Results& results, const RunInfo& info)>
      conclude = {};  // may be empty
};

// Prints `message` on stderr, on one line, with the program's name; returns
// `status`.
int Complain(std::string_view program, int status, std::string_view message);

// Returns the exit status. `arguments` are quoted in the files.
int RunSuite(const Suite& suite, const RunOptions& options,
             const std::vector<std::string_view>& arguments);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_DRIVER_H_
