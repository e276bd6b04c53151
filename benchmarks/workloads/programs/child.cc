#include "benchmarks/workloads/programs/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string_view>

#include "benchmarks/worker/process_meter.h"
#include "benchmarks/workloads/programs/folder.h"
#include "benchmarks/workloads/programs/usage.h"

namespace hakmem::bench {
namespace {

std::string FreshName(const char* kind) {
  static int number = 0;
  return std::string(kind) + "." + std::to_string(++number);
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) {
    pointers.push_back(const_cast<char*>(text.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

std::string BaseName(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string FirstLine(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// The beginning, without line ends.
std::string OnOneLine(const std::string& text) {
  std::string line = text.substr(0, 300);
  for (char& c : line) {
    if (c == '\n') c = ' ';
  }
  return line;
}

// In the child, between fork and exec: system calls only.
[[noreturn]] void Become(char* const* arguments, char* const* environment,
                         const int (&streams)[3], pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // the parent has gone already
  for (int stream = 0; stream <= 2; ++stream) dup2(streams[stream], stream);
  execve(arguments[0], arguments, environment);
  const std::string_view message = strerror(errno);
  if (write(STDERR_FILENO, message.data(), message.size()) < 0) _exit(126);
  _exit(127);
}

int Open(const std::string& name, int flags) {
  const int file = open(name.c_str(), flags | O_CLOEXEC, 0600);
  if (file < 0) {
    Die(kCannotRun, "cannot open %s: %s", name.c_str(), strerror(errno));
  }
  return file;
}

}  // namespace

std::string FindProgram(const std::string& name) {
  const char* const value = getenv("PATH");
  std::string_view rest = value == nullptr ? "/usr/bin:/bin" : value;
  while (!rest.empty()) {
    const size_t length = rest.find(':');
    std::string path = std::string(rest.substr(0, length)) + "/" + name;
    rest.remove_prefix(length == std::string_view::npos ? rest.size()
                                                        : length + 1);
    struct stat status;
    // Relative ones are relative to where the user is, and the worker leaves.
    if (path.front() == '/' && stat(path.c_str(), &status) == 0 &&
        S_ISREG(status.st_mode) && access(path.c_str(), X_OK) == 0) {
      return path;
    }
  }
  return "";
}

std::string NeedProgram(const char* workload, const std::string& name) {
  std::string path = FindProgram(name);
  if (path.empty()) {
    Die(kCannotRun, "%s: %s is not installed", workload, name.c_str());
  }
  return path;
}

// Forks rather than spawns: a child that shares its parent's memory until it
// executes the program has the parent's peak in its own (and can't be told to
// end with its parent). Of a fork's memory the peak holds what is private and
// not of a file, which is little here.
Child::Child(const Command& command)
    : command_(command),
      output_(command.output.empty() ? FreshName("output") : command.output),
      errors_(FreshName("errors")),
      started_(ClockNanoseconds(CLOCK_MONOTONIC)) {
  std::vector<std::string> arguments = command.arguments;
  arguments.insert(arguments.begin(), command.program);
  const std::vector<std::string> environment =
      ProgramEnvironment(command.preload, command.variables);
  const std::vector<char*> argument_pointers = Pointers(arguments);
  const std::vector<char*> environment_pointers = Pointers(environment);
  constexpr int kWrite = O_WRONLY | O_CREAT | O_TRUNC;
  const int streams[] = {Open(command.input, O_RDONLY), Open(output_, kWrite),
                         Open(errors_, kWrite)};
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    Become(argument_pointers.data(), environment_pointers.data(), streams,
           parent);
  }
  if (pid_ < 0) Die(kCannotRun, "cannot fork: %s", strerror(errno));
  for (const int stream : streams) close(stream);
}

Child::~Child() {
  if (pid_ > 0) Kill();
}

Used Child::Reap() {
  const Used used = WaitFor(pid_, started_, &status_);
  pid_ = 0;
  return used;
}

Used Child::Wait() {
  const Used used = Reap();
  if (WIFSIGNALED(status_)) {
    const int signal = WTERMSIG(status_);
    Fail("killed by signal " + std::to_string(signal) + " (" +
         strsignal(signal) + ")");
  }
  if (WEXITSTATUS(status_) != 0) {
    Fail("exit status " + std::to_string(WEXITSTATUS(status_)));
  }
  return used;
}

Used Child::Kill() {
  kill(pid_, SIGKILL);
  return Reap();
}

bool Child::HasEnded() const {
  siginfo_t info = {};
  return waitid(P_PID, static_cast<id_t>(pid_), &info,
                WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid_;
}

std::string Child::Output() const { return ReadFile(output_); }

void Child::Fail(const std::string& what) const {
  const std::string said = FirstLine(ReadFile(errors_));
  Die(command_.failure, "%s: %s%s%s", BaseName(command_.program).c_str(),
      what.c_str(), said.empty() ? "" : ": ", said.c_str());
}

Used RunCommand(const Command& command, std::string* output) {
  Child child(command);
  const Used used = child.Wait();
  if (output != nullptr) *output = child.Output();
  return used;
}

void ExpectResult(const std::string& program, const std::string& result,
                  const std::string& expected) {
  if (result == expected) return;
  Die(kAllocatorFailed, "%s: the result is \"%s\" and must be \"%s\"",
      BaseName(program).c_str(), OnOneLine(result).c_str(),
      OnOneLine(expected).c_str());
}

}  // namespace hakmem::bench
