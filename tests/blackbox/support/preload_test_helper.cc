// preload_test_helper.cc: the library by dlsym, and child processes.
#include "tests/blackbox/support/preload_test_helper.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "gtest/gtest.h"
#include "tools/subprocess/subprocess.h"

namespace hakmem_test {
namespace {

using hakmem::tools::Command;
using hakmem::tools::ProcessResult;
using hakmem::tools::Stream;
using hakmem::tools::Subprocess;

[[noreturn]] void Die(const std::string& message) {
  fprintf(stderr, "%s\n", message.c_str());
  exit(1);
}

template <typename Function>
void Find(void* handle, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(handle, name));
  if (*function == nullptr) Die(std::string("the library lacks ") + name);
}

std::string Environment(const char* name) {
  const char* value = getenv(name);
  if (value == nullptr) Die(std::string("set ") + name);
  return value;
}

// The file that the code at `address` was mapped from, links resolved.
std::string FileOf(const void* address) {
  Dl_info info;
  if (dladdr(address, &info) == 0) return "no file";
  char path[4096];
  return realpath(info.dli_fname, path) == nullptr ? info.dli_fname : path;
}

size_t Statm(int field) {
  // Through read(2): stdio would allocate, and some tests watch every byte.
  char text[256] = {};
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  const ssize_t length = read(file, text, sizeof(text) - 1);
  close(file);
  if (length <= 0) Die("cannot read /proc/self/statm");
  char* next = text;
  size_t pages = 0;
  for (int i = 0; i <= field; ++i) pages = strtoull(next, &next, 10);
  return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// `text` without the number of the process `child` in the "hakmem[1234]: " that
// opens a line. The number of another stays, so that expectations about a line
// of the child's fail when it names the wrong one.
std::string WithoutProcess(std::string text, pid_t child) {
  const std::string prefix = "hakmem[" + std::to_string(child) + "]: ";
  const std::string plain = "hakmem: ";
  for (size_t at = 0; (at = text.find(prefix, at)) != std::string::npos;) {
    text.replace(at, prefix.size(), plain);
    at += plain.size();
  }
  return text;
}

// What children have in common: stderr is captured, and one that hangs is
// killed.
Command ChildCommand() {
  return {.arguments = {},
          .input = Stream::Inherit(),
          .output = Stream::Inherit(),
          .time_limit = std::chrono::minutes(2),
          .limits = {{RLIMIT_CORE, {0, 0}}}};
}

ChildResult WaitFor(Subprocess& child) {
  const ProcessResult& ended = child.Wait();
  if (ended.ending == ProcessResult::kNotStarted) Die(ended.problem);
  ChildResult result;
  result.err = ended.errors;
  if (getenv("HAKMEM_TEST_EMULATOR") != nullptr) {
    // Its own line about a process that a signal ends.
    const size_t line = result.err.find("qemu: uncaught target signal");
    if (line != std::string::npos) result.err.resize(line);
  }
  result.err = WithoutProcess(result.err, child.pid());
  if (ended.ending == ProcessResult::kExited) result.exit_code = ended.code;
  if (ended.ending == ProcessResult::kSignaled) result.signal = ended.code;
  if (ended.ending == ProcessResult::kTimedOut) result.signal = SIGKILL;
  return result;
}

// Another run of this program: the file to execute, and its arguments.
struct Rerun {
  std::string file = "/proc/self/exe";
  std::vector<std::string> arguments;
};

Rerun RerunWith(std::vector<std::string> arguments) {
  const char* const emulator = getenv("HAKMEM_TEST_EMULATOR");
  if (emulator == nullptr) return {.arguments = std::move(arguments)};
  char program[4096];
  if (realpath("/proc/self/exe", program) == nullptr) {
    Die("cannot find this program");
  }
  Rerun rerun = {emulator, {emulator, "-0", arguments[0], program}};
  rerun.arguments.insert(rerun.arguments.end(), arguments.begin() + 1,
                         arguments.end());
  return rerun;
}

ChildProgram* first_child_program = nullptr;

}  // namespace

Library FindLibrary(void* handle) {
  Library library;
  Find(handle, "hakmem_malloc", &library.malloc);
  Find(handle, "hakmem_calloc", &library.calloc);
  Find(handle, "hakmem_realloc", &library.realloc);
  Find(handle, "hakmem_reallocarray", &library.reallocarray);
  Find(handle, "hakmem_memalign", &library.memalign);
  Find(handle, "hakmem_aligned_alloc", &library.aligned_alloc);
  Find(handle, "hakmem_posix_memalign", &library.posix_memalign);
  Find(handle, "hakmem_valloc", &library.valloc);
  Find(handle, "hakmem_pvalloc", &library.pvalloc);
  Find(handle, "hakmem_free", &library.free);
  Find(handle, "hakmem_free_sized", &library.free_sized);
  Find(handle, "hakmem_free_aligned_sized", &library.free_aligned_sized);
  Find(handle, "hakmem_malloc_usable_size", &library.malloc_usable_size);
  Find(handle, "hakmem_collect", &library.collect);
  Find(handle, "hakmem_version", &library.version);
  Find(handle, "hakmem_option", &library.option);
  Find(handle, "hakmem_events_start", &library.events_start);
  Find(handle, "hakmem_events_stop", &library.events_stop);
  Find(handle, "hakmem_events", &library.events);
  Find(handle, "hakmem_event_counts", &library.event_counts);
  Find(handle, "hakmem_events_dump", &library.events_dump);
  Find(handle, "hakmem_profile_start", &library.profile_start);
  Find(handle, "hakmem_profile_stop", &library.profile_stop);
  Find(handle, "hakmem_profile_write", &library.profile_write);
  Find(handle, "hakmem_stats", &library.stats);
  Find(handle, "hakmem_class_stats", &library.class_stats);
  Find(handle, "hakmem_thread_stats", &library.thread_stats);
  Find(handle, "hakmem_stats_json", &library.stats_json);
  Find(handle, "hakmem_stats_prometheus", &library.stats_prometheus);
  Find(handle, "hakmem_check_heap", &library.check_heap);
  Find(handle, "hakmem_last_failure", &library.last_failure);
  Find(handle, "hakmem_failures", &library.failures);
  Find(handle, "hakmem_set_failure_callback", &library.set_failure_callback);
  Find(handle, "hakmem_failure_text", &library.failure_text);
  Find(handle, "hakmem_failure_json", &library.failure_json);
  Find(handle, "hakmem_failure_entry_name", &library.failure_entry_name);
  Find(handle, "hakmem_failure_layer_name", &library.failure_layer_name);
  Find(handle, "hakmem_failure_cause_name", &library.failure_cause_name);
  Find(handle, "hakmem_failure_subcause_name", &library.failure_subcause_name);
  Find(handle, "hakmem_failure_os_request_name",
       &library.failure_os_request_name);
  Find(handle, "hakmem_routings", &library.routings);
  return library;
}

const Library& Hakmem() {
  static const Library library = FindLibrary(RTLD_DEFAULT);
  return library;
}

hakmem_stats_t Stats() {
  hakmem_stats_t stats;
  if (Hakmem().stats(&stats, sizeof(stats)) != sizeof(stats)) {
    Die("hakmem_stats filled another size than it was given");
  }
  return stats;
}

hakmem_stats_t CollectedStats() {
  Hakmem().collect();
  return Stats();
}

void ExecThisProgram(const char* const* argv) {
  std::vector<std::string> words;
  for (; *argv != nullptr; ++argv) words.emplace_back(*argv);
  const Rerun rerun = RerunWith(words);
  std::vector<char*> arguments;
  for (const std::string& word : rerun.arguments) {
    // The functions of exec change nothing of what they are given.
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  execv(rerun.file.c_str(), arguments.data());
}

std::string LibraryPath() {
  char path[4096];
  const std::string given = Environment("HAKMEM_TEST_LIBRARY");
  if (realpath(given.c_str(), path) == nullptr) Die("there is no " + given);
  return path;
}

std::string ExpectedBackend() { return Environment("HAKMEM_EXPECT_BACKEND"); }

bool HasTracing() { return LibraryPath().find("notrace") == std::string::npos; }
bool HasAce() { return LibraryPath().find("ace_off") == std::string::npos; }

std::string PreloadProblem() {
  const std::string library = LibraryPath();
  struct {
    const char* name;
    const void* address;
  } const replaced[] = {
      {"malloc", dlsym(RTLD_DEFAULT, "malloc")},
      {"free", dlsym(RTLD_DEFAULT, "free")},
      {"realloc", dlsym(RTLD_DEFAULT, "realloc")},
      {"operator new", dlsym(RTLD_DEFAULT, "_Znwm")},
      {"operator delete", dlsym(RTLD_DEFAULT, "_ZdlPv")},
      {"hakmem_version", dlsym(RTLD_DEFAULT, "hakmem_version")},
      // What this program itself calls, whatever dlsym says.
      {"the malloc called here", reinterpret_cast<const void*>(&::malloc)},
  };
  for (const auto& function : replaced) {
    if (FileOf(function.address) != library) {
      return std::string(function.name) + " is of " + FileOf(function.address) +
             ", not of " + library;
    }
  }
  const std::string version = Hakmem().version();
  if (version.find("(" + ExpectedBackend() + ", ") == std::string::npos) {
    return version + " was preloaded, not " + ExpectedBackend();
  }
  if (Stats().backend != ExpectedBackend()) {
    return std::string("the statistics name ") + Stats().backend;
  }
  return "";
}

size_t ResidentBytes() { return Statm(1); }
size_t AddressSpaceBytes() { return Statm(0); }

void LimitAddressSpace(size_t bytes) {
  rlimit limit;
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = AddressSpaceBytes() + bytes;
  if (setrlimit(RLIMIT_AS, &limit) != 0) Die("cannot set RLIMIT_AS");
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

ChildResult RunForked(const std::function<void()>& body) {
  fflush(nullptr);
  Subprocess child(ChildCommand(), [&body] {
    body();
    fflush(nullptr);
    _exit(testing::Test::HasFailure() ? 1 : 0);
  });
  return WaitFor(child);
}

ChildResult RunChildProgram(
    const std::string& name,
    const std::vector<std::pair<std::string, std::string>>& variables) {
  const Rerun rerun = RerunWith({"child", "--child_program=" + name});
  Command command = ChildCommand();
  command.program = rerun.file;
  command.arguments = rerun.arguments;
  for (const auto& [variable, value] : variables) {
    command.variables.push_back(variable + "=" + value);
  }
  fflush(nullptr);
  Subprocess child(command);
  return WaitFor(child);
}

ChildProgram::ChildProgram(const char* name, int (*run)())
    : name_(name), run_(run), next_(first_child_program) {
  first_child_program = this;
}

int (*ChildProgram::Find(const std::string& name))() {
  for (const ChildProgram* program = first_child_program; program != nullptr;
       program = program->next_) {
    if (name == program->name_) return program->run_;
  }
  return nullptr;
}

}  // namespace hakmem_test
