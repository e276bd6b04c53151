#include "benchmarks/workloads/programs/child.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "benchmarks/workloads/programs/folder.h"

namespace hakmem::bench {
namespace {

std::string FreshName(const char* kind) {
  static int number = 0;
  return std::string(kind) + "." + std::to_string(++number);
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

Used UsedBy(const tools::ProcessResult& result) {
  return {
      static_cast<uint64_t>(result.wall_time.count()),
      static_cast<uint64_t>((result.user_time + result.system_time).count()),
      result.peak_resident_bytes / 1024, result.minor_faults};
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

// It forks rather than spawns: a child that shares its parent's memory until it
// executes the program has the parent's peak in its own. Of a fork's memory the
// peak holds what is private and not of a file, which is little here.
Child::Child(const Command& command)
    : command_(command),
      output_(command.output.empty() ? FreshName("output") : command.output),
      errors_(FreshName("errors")),
      process_(ToRun()) {}

tools::Command Child::ToRun() const {
  tools::Command run{.arguments = command_.arguments};
  run.arguments.insert(run.arguments.begin(), command_.program);
  run.variables = ProgramEnvironment(command_.preload, command_.variables);
  run.inherit_environment = false;
  run.input = tools::Stream::File(command_.input);
  run.output = tools::Stream::File(output_);
  run.errors = tools::Stream::File(errors_);
  // Whoever ends the worker's group ends its programs.
  run.own_group = false;
  return run;
}

Used Child::Wait() {
  const tools::ProcessResult& result = process_.Wait();
  if (!result.ok()) Fail(result.Describe());
  return UsedBy(result);
}

Used Child::Kill() {
  process_.Kill();
  return UsedBy(process_.Wait());
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
