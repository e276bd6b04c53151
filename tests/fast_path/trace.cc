#include "tests/fast_path/trace.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tests/fast_path/measured_functions.h"

namespace hakmem::bench {

#if defined(__x86_64__)

namespace {

// Exit statuses of a child that could not become the caller.
constexpr int kNoPtrace = 120;
constexpr int kNoExec = 121;

// Longer than any path; a call that takes more is stuck.
constexpr size_t kMostSteps = 1'000'000;
// Steps between the breakpoint and the function's first instruction.
constexpr int kMostStepsBefore = 1000;

absl::Status Failure(absl::string_view what) {
  return absl::InternalError(absl::StrCat(what, ": ", strerror(errno)));
}

// Runs in the child between fork and exec. Does not return.
void BecomeCaller(char* const* arguments, char* const* environment) {
  if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(kNoPtrace);
  execve(arguments[0], arguments, environment);
  _exit(kNoExec);
}

// The traced process; killed by the destructor.
class Tracee {
 public:
  Tracee() = default;
  ~Tracee() {
    if (child_ > 0 && !HasEnded()) {
      kill(child_, SIGKILL);
      waitpid(child_, &status_, __WALL);
    }
  }
  Tracee(const Tracee&) = delete;
  Tracee& operator=(const Tracee&) = delete;

  // Returns with the program stopped at its first instruction.
  absl::Status Start(std::string program, std::string library) {
    std::string preload = absl::StrCat("LD_PRELOAD=", library);
    char* const arguments[] = {program.data(), library.data(), nullptr};
    // Disables decay: stepping takes a thousand times as long as running, and
    // the counts must not depend on time.
    std::string no_decay = "HAKMEM_DECAY=3600000";
    char* const environment[] = {preload.data(), no_decay.data(), nullptr};
    child_ = fork();
    if (child_ < 0) return Failure("cannot fork");
    if (child_ == 0) BecomeCaller(arguments, environment);
    if (absl::Status status = Wait(); !status.ok()) return status;
    // Some sandboxes refuse with a signal.
    if ((WIFEXITED(status_) && WEXITSTATUS(status_) == kNoPtrace) ||
        (WIFSIGNALED(status_) && WTERMSIG(status_) == SIGSYS)) {
      return absl::UnavailableError("ptrace is refused here");
    }
    if (!IsStoppedBy(SIGTRAP)) {
      return absl::InternalError(
          absl::StrCat("cannot start ", program, ": ", Ending()));
    }
    // Kills it when this process ends.
    if (ptrace(PTRACE_SETOPTIONS, child_, nullptr, PTRACE_O_EXITKILL) != 0) {
      return absl::UnavailableError("ptrace is refused here");
    }
    return absl::OkStatus();
  }

  absl::Status Continue() { return Resume(PTRACE_CONT); }
  absl::Status Step() { return Resume(PTRACE_SINGLESTEP); }

  bool IsStoppedBy(int signal) const {
    return WIFSTOPPED(status_) && WSTOPSIG(status_) == signal;
  }
  bool HasEnded() const { return WIFEXITED(status_) || WIFSIGNALED(status_); }
  bool IsDone() const {
    return WIFEXITED(status_) && WEXITSTATUS(status_) == 0;
  }

  // How it stopped or ended, for error messages.
  std::string Ending() const {
    if (WIFEXITED(status_)) {
      return absl::StrCat("exit status ", WEXITSTATUS(status_));
    }
    return absl::StrCat("signal ", WIFSIGNALED(status_) ? WTERMSIG(status_)
                                                        : WSTOPSIG(status_));
  }

  absl::StatusOr<user_regs_struct> Registers() const {
    user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, child_, nullptr, &registers) != 0) {
      return Failure("cannot read the registers");
    }
    return registers;
  }

  absl::StatusOr<uint64_t> Word(uint64_t address) const {
    errno = 0;
    const long word = ptrace(PTRACE_PEEKDATA, child_,
                             reinterpret_cast<void*>(address), nullptr);
    if (errno != 0) return Failure("cannot read the stack");
    return static_cast<uint64_t>(word);
  }

 private:
  absl::Status Resume(__ptrace_request how) {
    if (ptrace(how, child_, nullptr, nullptr) != 0) {
      return Failure("cannot resume the traced program");
    }
    return Wait();
  }

  absl::Status Wait() {
    while (waitpid(child_, &status_, __WALL) < 0) {
      if (errno != EINTR) return Failure("cannot wait");
    }
    return absl::OkStatus();
  }

  pid_t child_ = -1;
  int status_ = 0;
};

// Executes one instruction and returns the registers; an error if anything else
// happened.
absl::StatusOr<user_regs_struct> StepOnce(Tracee& tracee) {
  if (absl::Status status = tracee.Step(); !status.ok()) return status;
  if (!tracee.IsStoppedBy(SIGTRAP)) {
    return absl::InternalError(absl::StrCat(
        "the traced program ended or stopped amid a call: ", tracee.Ending()));
  }
  return tracee.Registers();
}

// Traces from the breakpoint that announces a call to the call's end.
absl::StatusOr<TracedCall> TraceOne(Tracee& tracee) {
  absl::StatusOr<user_regs_struct> now = tracee.Registers();
  if (!now.ok()) return now.status();
  TracedCall call{now->rdi, {}};
  const uint64_t function = now->rsi;
  const uint64_t base = now->rdx;
  if (call.function >= kMeasuredFunctionCount) {
    return absl::InternalError("a breakpoint that announces nothing");
  }
  for (int i = 0; now->rip != function; ++i) {
    if (i == kMostStepsBefore) {
      return absl::InternalError(
          absl::StrCat(kMeasuredFunctions[call.function].name,
                       " is announced and not called"));
    }
    now = StepOnce(tracee);
    if (!now.ok()) return now.status();
  }
  // The return address is on top of the stack now, and popped at the end.
  const uint64_t stack = now->rsp;
  const absl::StatusOr<uint64_t> caller = tracee.Word(stack);
  if (!caller.ok()) return caller.status();
  while (now->rip != *caller || now->rsp <= stack) {
    if (call.steps.size() == kMostSteps) {
      return absl::InternalError(absl::StrCat(
          kMeasuredFunctions[call.function].name, " does not return"));
    }
    call.steps.push_back(now->rip - base);
    now = StepOnce(tracee);
    if (!now.ok()) return now.status();
  }
  return call;
}

}  // namespace

absl::StatusOr<std::vector<TracedCall>> TraceCalls(const std::string& caller,
                                                   const std::string& library) {
  Tracee tracee;
  absl::Status status = tracee.Start(caller, library);
  std::vector<TracedCall> calls;
  while (status.ok()) {
    status = tracee.Continue();
    if (!status.ok()) break;
    if (tracee.IsDone()) return calls;
    if (!tracee.IsStoppedBy(SIGTRAP)) {
      return absl::InternalError(
          absl::StrCat("the traced program failed: ", tracee.Ending()));
    }
    absl::StatusOr<TracedCall> call = TraceOne(tracee);
    if (!call.ok()) return call.status();
    calls.push_back(*std::move(call));
  }
  return status;
}

#else

absl::StatusOr<std::vector<TracedCall>> TraceCalls(const std::string&,
                                                   const std::string&) {
  return absl::UnavailableError("the CPU is not x86-64");
}

#endif

}  // namespace hakmem::bench
