// Subprocess: starts a program, reads what it prints, waits for its end, and
// kills it when it takes too long.
//
//     Subprocess process({.arguments = {"ls", "-l", folder}});
//     const ProcessResult& result = process.Wait();
//     if (!result.ok()) Fail(result.Describe());
//
// There is no shell between: arguments arrive as they are. Several processes
// run at once when they are waited for together (WaitForAny), on one thread.
//
// Safe in a process with threads: between fork and exec there are only
// async-signal-safe calls, and every descriptor opened here is close-on-exec.
// An object belongs to one thread at a time.
#ifndef HAKMEM_TOOLS_SUBPROCESS_SUBPROCESS_H_
#define HAKMEM_TOOLS_SUBPROCESS_SUBPROCESS_H_

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/subprocess/descriptor.h"
#include "tools/subprocess/held_signals.h"

namespace hakmem::tools {

// Where a standard stream of a child leads.
struct Stream {
  enum Kind {
    kInherit,  // where this process's leads
    kNull,     // /dev/null
    kFile,     // read from the beginning, or created and overwritten
    kAppend,   // created, or written to at its end
    kText,     // input only: reads `text`
    kCapture,  // output and errors only: ProcessResult has it
    kOutput,   // errors only: where output leads
  };

  static Stream Inherit() { return {kInherit, {}}; }
  static Stream Null() { return {kNull, {}}; }
  static Stream File(std::string path) { return {kFile, std::move(path)}; }
  static Stream Append(std::string path) { return {kAppend, std::move(path)}; }
  static Stream Text(std::string text) { return {kText, std::move(text)}; }
  static Stream Capture() { return {kCapture, {}}; }
  static Stream SameAsOutput() { return {kOutput, {}}; }

  Kind kind;
  std::string text;  // the file's path, or what is read
};

struct Command {
  // The first is the program. Without a slash it is looked up in PATH.
  std::vector<std::string> arguments;
  // The file to execute in place of arguments[0]; empty: that one.
  std::string program = {};

  // "NAME=value" sets a variable, "NAME" removes it; the last one counts.
  std::vector<std::string> variables = {};
  // False: the child has the variables above and no others.
  bool inherit_environment = true;

  // Empty: where this process is. A relative `program` is relative to it.
  std::string working_folder = {};

  Stream input = Stream::Null();
  Stream output = Stream::Capture();
  Stream errors = Stream::Capture();
  // Bytes kept of each captured stream; what follows is read and dropped.
  size_t most_captured = SIZE_MAX;

  // When it is over, the child is killed (Subprocess::Kill).
  std::optional<std::chrono::milliseconds> time_limit = {};

  // In a process group of its own the child gets no Ctrl-C from the terminal,
  // and can be killed together with all that it has started.
  bool own_group = true;
  // The child is killed when the thread that started it ends.
  bool end_with_parent = true;

  // Set before the program starts: RLIMIT_... and its value.
  std::vector<std::pair<int, rlimit>> limits = {};
  // The CPUs to run on; empty: those of this process.
  std::vector<int> cpus = {};
  // The signals as the child should find them; null: as they are here.
  const SignalState* signals = nullptr;
};

// How a process ended, and what it used.
struct ProcessResult {
  enum Ending {
    kExited,
    kSignaled,
    kTimedOut,
    kNotStarted,
    kUnknown,  // somebody else waited for it, or SIGCHLD is ignored
  };

  Ending ending = kUnknown;
  int code = 0;         // exit status, signal, or errno when not started
  std::string problem;  // when not started: one line that says why
  std::string output;
  std::string errors;

  std::chrono::nanoseconds wall_time = {};
  // Of the process and of all its children that it has waited for; peak
  // resident memory is that of the largest one.
  std::chrono::nanoseconds user_time = {};
  std::chrono::nanoseconds system_time = {};
  uint64_t peak_resident_bytes = 0;
  uint64_t minor_faults = 0;
  uint64_t major_faults = 0;

  bool ok() const { return ending == kExited && code == 0; }

  // The exit status that a shell would report: 127 for a program that does not
  // exist, 126 for one that cannot be run, 128 + signal.
  int ShellStatus() const;

  // How it ended, on one line: "exit status 3", "killed by signal 11
  // (Segmentation fault)", "took too long", "cannot run x: No such file or
  // directory".
  std::string Describe() const;
};

class Subprocess {
 public:
  // Starts the program. When that fails, the process has ended already, and
  // the result says why.
  explicit Subprocess(const Command& command);
  // Forks, and runs `body` in the child in place of a program; the child exits
  // with status 0 when `body` returns. `body` is not restricted to what is
  // async-signal-safe: call this where there is one thread, or know better.
  Subprocess(const Command& command, const std::function<void()>& body);
  // Kills it when it still runs.
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  // 0 when it was not started. Another process may have the number once this
  // one has ended.
  pid_t pid() const { return pid_; }

  // False once it has ended and all that it wrote was read. The time limit
  // counts in here too.
  bool Running();

  // Waits for the end: of the process, and of whatever else holds a captured
  // stream open. At most until the time limit.
  const ProcessResult& Wait();

  // Waits until one of the processes has written something, has ended or is
  // over its time limit, or until `descriptor` (unless -1) is readable. Takes
  // note of what happened to all of them. Returns at once when none of them
  // runs.
  static void WaitForAny(std::span<Subprocess* const> processes,
                         int descriptor = -1);

  // Sends a signal to the process alone; nothing when it has ended.
  void Signal(int signal);

  // Sends SIGKILL to the process, and to its group when that is its own. What
  // others write to its captured streams after its end is not read.
  void Kill();

  // Shortens the time limit: the process is killed then.
  void KillAt(std::chrono::steady_clock::time_point deadline);

  // As far as it is known; complete when Running() has become false.
  const ProcessResult& result() const { return result_; }

 private:
  // What is there to be read, an end, and the time limit.
  void Update();
  void CheckExit();
  void Reap();
  void WaitUntilExit();

  const bool own_group_;
  const size_t most_captured_;
  const std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point deadline_;
  pid_t pid_ = 0;
  bool running_ = false;  // not yet waited for
  bool exited_ = false;
  bool killed_ = false;
  Descriptor process_;  // pidfd; none where the system has none
  Descriptor output_;   // none at the end of the stream
  Descriptor errors_;
  ProcessResult result_;
};

// Starts the program and waits for its end.
ProcessResult RunProcess(const Command& command);

// The file that a program's name stands for: itself with a slash in it, else
// the first executable file in the folders of PATH; empty when there is none.
std::string FindProgram(std::string_view name);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_SUBPROCESS_SUBPROCESS_H_
