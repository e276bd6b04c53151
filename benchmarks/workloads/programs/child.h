// Programs as children of this process: how they are found, started, waited for
// and judged. What goes wrong ends this process with one line that says it.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_CHILD_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_CHILD_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "benchmarks/worker/workload.h"
#include "benchmarks/workloads/programs/environment.h"
#include "tools/subprocess/subprocess.h"

namespace hakmem::bench {

// The path of the program of that name on PATH, or "".
std::string FindProgram(const std::string& name);

// The same, but ends the process (kCannotRun) when there is none.
std::string NeedProgram(const char* workload, const std::string& name);

// What to run: the program's path and its arguments, from the second on.
struct Command {
  std::string program;
  std::vector<std::string> arguments;
  Preload preload = Preload::kAllocator;
  std::string input = "/dev/null";  // files
  std::string output = {};          // empty: one that Child::Output reads
  std::vector<std::string> variables = {};  // NAME=value, beside the usual
  int failure = kAllocatorFailed;  // the status to end with when it fails
};

// A running program, which ends with this process at the latest.
class Child {
 public:
  explicit Child(const Command& command);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return process_.pid(); }

  // Waits for its end, which must be with status 0. What it used, together with
  // the processes that it waited for; peak memory is the largest one's.
  Used Wait();
  // Ends it.
  Used Kill();

  // What it has printed.
  std::string Output() const;

  // True when it has ended by itself already.
  bool HasEnded() { return !process_.Running(); }

 private:
  tools::Command ToRun() const;
  [[noreturn]] void Fail(const std::string& what) const;

  const Command command_;
  const std::string output_;
  const std::string errors_;
  tools::Subprocess process_;
};

// Runs the command to its end; what it printed goes to `output`, if that is
// there.
Used RunCommand(const Command& command, std::string* output = nullptr);

// Ends the process (kAllocatorFailed) when the program's result is not what it
// must be.
void ExpectResult(const std::string& program, const std::string& result,
                  const std::string& expected);

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_PROGRAMS_CHILD_H_
