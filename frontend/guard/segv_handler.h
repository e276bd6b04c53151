// SIGSEGV: what touched memory of ours that nothing may touch is told before
// the signal does what it would have done without us.
//
// The handler that was there before, or the system's default, follows in any
// case: for faults elsewhere it is as if we were not there. A handler that the
// program installs later takes ours out, unless it calls the one it replaced.
// No SIGBUS: the kernel sends none for pages without access.
#ifndef HAKMEM_FRONTEND_GUARD_SEGV_HANDLER_H_
#define HAKMEM_FRONTEND_GUARD_SEGV_HANDLER_H_

#include <cstdint>

namespace hakmem {

enum class Access : uint8_t { kUnknown, kRead, kWrite, kExecute };

struct Fault {
  uintptr_t address;
  uintptr_t instruction;  // that made the access; 0 when it is not known
  Access access;
};

// Has report(fault) called, in a signal handler and on one thread at a time,
// for each fault in [begin, begin + length). Runs on the alternate signal stack
// where the program has one. Once a process. Returns 0 or an errno.
int InstallFaultHandler(uintptr_t begin, uintptr_t length,
                        void (*report)(const Fault& fault));

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_GUARD_SEGV_HANDLER_H_
