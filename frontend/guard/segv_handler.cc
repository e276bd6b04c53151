#include "frontend/guard/segv_handler.h"

#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>

namespace hakmem {
namespace {

// Written before the handler is installed; `previous` just before.
constinit uintptr_t watched_begin = 0;
constinit uintptr_t watched_length = 0;
using ReportFunction = void (*)(const Fault&);
constinit ReportFunction report_fault = nullptr;
constinit struct sigaction previous = {};

constinit std::atomic<bool> reporting{false};

// What the processor recorded of the access.
Fault FaultOf(const siginfo_t& info, const void* context) {
  Fault fault = {reinterpret_cast<uintptr_t>(info.si_addr), 0,
                 Access::kUnknown};
#if defined(__x86_64__)
  const greg_t* registers =
      static_cast<const ucontext_t*>(context)->uc_mcontext.gregs;
  fault.instruction = static_cast<uintptr_t>(registers[REG_RIP]);
  // The page fault error code: bit 1 is a write, bit 4 an instruction fetch.
  const greg_t code = registers[REG_ERR];
  fault.access = (code & 16) != 0  ? Access::kExecute
                 : (code & 2) != 0 ? Access::kWrite
                                   : Access::kRead;
#elif defined(__aarch64__)
  fault.instruction = static_cast<const ucontext_t*>(context)->uc_mcontext.pc;
#endif
  return fault;
}

// Waits up to 5 s for another thread's report, which the process may not
// survive.
bool BeginReport() {
  for (int i = 0; i < 500; ++i) {
    // acquire: pairs with the release in EndReport.
    if (!reporting.exchange(true, std::memory_order_acquire)) return true;
    const timespec ten_ms = {0, 10'000'000};
    syscall(SYS_nanosleep, &ten_ms, nullptr);
  }
  return false;
}

// release: pairs with the acquire in BeginReport.
void EndReport() { reporting.store(false, std::memory_order_release); }

// Sends the same signal again, to be delivered when the handler returns. The
// instruction must not run again: the memory may be accessible by then.
void SendAgain(int signal, siginfo_t* info) {
  syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), signal, info);
}

void ResetToDefault(int signal) {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
}

void PassOn(int signal, siginfo_t* info, void* context) {
  if ((previous.sa_flags & static_cast<int>(SA_RESETHAND)) != 0) {
    ResetToDefault(signal);
  }
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    return previous.sa_sigaction(signal, info, context);
  }
  const bool is_fault = info->si_code > 0;
  if (previous.sa_handler == SIG_IGN && !is_fault) return;
  if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
    // Faults cannot be ignored.
    ResetToDefault(signal);
    return SendAgain(signal, info);
  }
  previous.sa_handler(signal);
}

void OnFault(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const bool has_address =
      info->si_code == SEGV_ACCERR || info->si_code == SEGV_MAPERR;
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  if (has_address && address - watched_begin < watched_length &&
      BeginReport()) {
    report_fault(FaultOf(*info, context));
    EndReport();
  }
  errno = saved_errno;
  PassOn(signal, info, context);
}

}  // namespace

int InstallFaultHandler(uintptr_t begin, uintptr_t length,
                        void (*report)(const Fault& fault)) {
  watched_begin = begin;
  watched_length = length;
  report_fault = report;
  if (sigaction(SIGSEGV, nullptr, &previous) != 0) return errno;
  struct sigaction action = {};
  action.sa_sigaction = OnFault;
  // Keeps the previous handler's signal mask and flags.
  action.sa_mask = previous.sa_mask;
  action.sa_flags =
      SA_SIGINFO | SA_ONSTACK | (previous.sa_flags & (SA_NODEFER | SA_RESTART));
  return sigaction(SIGSEGV, &action, nullptr) == 0 ? 0 : errno;
}

}  // namespace hakmem
