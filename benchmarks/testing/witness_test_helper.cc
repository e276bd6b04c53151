// Preloaded beside a library whose calls to the operating system can be refused
// (--//base/os:os_calls=injected): tells what an allocator does in each process
// that has it, in lines at the end of the file that HAKMEM_TEST_WITNESS_FILE
// names:
//
//   PROGRAM null                      a request failed (the first one)
//   PROGRAM signal NUMBER             code of the allocator ended the process
//   PROGRAM end CALLS REFUSED         the process ends by itself, having made
//                                     so many calls to the operating system
//
// In the program that HAKMEM_TEST_SPARED names nothing is refused. Needs libc
// only, and allocates nothing.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>

#include "hakmem/hakmem.h"

namespace {

template <typename Function>
Function* Find(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

const char* file_name;
const void* allocator;  // where its library begins

// Early: programs may take their environment apart. But libraries' constructors
// may come before ours, and end the process.
void FindFile() {
  if (file_name == nullptr) file_name = getenv("HAKMEM_TEST_WITNESS_FILE");
}

__attribute__((format(printf, 1, 2))) void Tell(const char* format, ...) {
  FindFile();
  if (file_name == nullptr) return;
  const int saved = errno;
  char line[256];
  size_t length = static_cast<size_t>(
      snprintf(line, sizeof(line), "%.100s ", program_invocation_short_name));
  va_list arguments;
  va_start(arguments, format);
  length += static_cast<size_t>(
      vsnprintf(line + length, sizeof(line) - length, format, arguments));
  va_end(arguments);
  const int file = open(file_name, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file >= 0) {
    (void)!write(file, line, length);
    close(file);
  }
  errno = saved;
}

bool IsOfAllocator(const void* code) {
  Dl_info info;
  return dladdr(code, &info) != 0 && info.dli_fbase == allocator;
}

void OnFault(int number, siginfo_t*, void* context) {
  const auto* const state = static_cast<ucontext_t*>(context);
  if (IsOfAllocator(
          reinterpret_cast<void*>(state->uc_mcontext.gregs[REG_RIP]))) {
    Tell("signal %d\n", number);
  }
  // The fault comes again, and has its way.
  signal(number, SIG_DFL);
}

// A program may ask for ever: it is ended then.
constexpr uint64_t kMostFailures = 10'000;
std::atomic<uint64_t> failures{0};
std::atomic<bool> is_written{false};

void OnFailure(const hakmem_failure_t*, void*) {
  const uint64_t before = failures++;
  if (before == 0) {
    Tell("null\n");
    is_written = true;
  }
  if (before + 1 == kMostFailures) _Exit(1);
}

// Another thread may be about to write the line while this one ends the
// process.
void WaitUntilWritten() {
  for (int i = 0; failures != 0 && !is_written && i < 100'000; ++i)
    sched_yield();
}

// What failed before anybody listened.
void TellEarlyFailure() {
  auto* const last = Find<decltype(hakmem_last_failure)>("hakmem_last_failure");
  hakmem_failure_t failure;
  if (failures == 0 && last != nullptr && last(&failure, sizeof(failure))) {
    OnFailure(&failure, nullptr);
  }
}

__attribute__((constructor)) void Begin() {
  FindFile();
  auto* const set_callback = Find<decltype(hakmem_set_failure_callback)>(
      "hakmem_set_failure_callback");
  Dl_info info;
  if (set_callback == nullptr ||
      dladdr(reinterpret_cast<void*>(set_callback), &info) == 0) {
    return;
  }
  allocator = info.dli_fbase;
  const char* const spared = getenv("HAKMEM_TEST_SPARED");
  if (spared != nullptr && strcmp(spared, program_invocation_short_name) == 0) {
    Find<void(uint64_t, uint64_t)>("hakmem_test_fail_os_calls")(0, 0);
  }
  set_callback(OnFailure, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = OnFault;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGBUS, &action, nullptr);
}

__attribute__((destructor)) void End() {
  auto* const calls = Find<uint64_t()>("hakmem_test_os_calls");
  auto* const refused = Find<uint64_t()>("hakmem_test_failed_os_calls");
  if (calls == nullptr || refused == nullptr) return;
  TellEarlyFailure();
  WaitUntilWritten();
  Tell("end %" PRIu64 " %" PRIu64 "\n", calls(), refused());
}

}  // namespace

// How a worker ends that says what went wrong: without destructors.
extern "C" void _Exit(int status) noexcept {
  End();
  syscall(SYS_exit_group, status);
  __builtin_unreachable();
}

// How the allocator ends a process whose free cannot be right.
extern "C" void abort() noexcept {
  TellEarlyFailure();
  if (IsOfAllocator(__builtin_return_address(0))) Tell("signal %d\n", SIGABRT);
  signal(SIGABRT, SIG_DFL);
  raise(SIGABRT);
  __builtin_unreachable();
}
