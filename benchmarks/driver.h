// The course of a program that compares allocators: finds who takes part, runs
// them, prints the report and writes the files. What is compared is a Suite.
#ifndef HAKMEM_BENCHMARKS_DRIVER_H_
#define HAKMEM_BENCHMARKS_DRIVER_H_

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/contenders.h"
#include "benchmarks/criteria.h"
#include "benchmarks/results.h"
#include "benchmarks/run_options.h"

namespace hakmem::bench {

// Exit statuses of such a program beside 0.
inline constexpr int kFailed = 1;         // an allocator, or writing a file
inline constexpr int kBadInput = 2;       // flags, or what cannot be preloaded
inline constexpr int kInterrupted = 130;  // reports what there is

struct Suite {
  std::string program;  // names the files of --out and begins error messages
  std::string name;     // "random-mixed"
  std::string amount;   // of work in a run, "runs of 1000 operations"
  Field field;
  std::vector<Case> cases;
  // As in Plan (schedule.h).
  std::function<std::vector<std::string>(const Case& a_case)> arguments;
  std::function<std::chrono::milliseconds(const Case& a_case)> limit;

  std::function<Judgement(const Results& results)> judge;
  std::function<std::string(const Results& results, const Judgement& judgement,
                            bool unicode)>
      text_report;
  std::function<std::string(const Results& results, const Judgement& judgement,
                            const RunInfo& info)>
      html_report;
};

// Prints `message` on stderr, on one line, with the program's name; returns
// `status`.
int Complain(std::string_view program, int status, std::string_view message);

// Returns the exit status. `arguments` are quoted in the files.
int RunSuite(const Suite& suite, const RunOptions& options,
             const std::vector<std::string_view>& arguments);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_DRIVER_H_
