// SIGSEGV handler: reports accesses to guarded memory, then forwards to the
// previous handler, or to the system's default action.
//
// For faults elsewhere it only forwards. A handler that the program installs
// later replaces ours, unless it calls the previous one. No SIGBUS: the kernel
// sends none for pages without access.
#ifndef HAKMEM_FRONTEND_GUARD_SEGV_HANDLER_H_
#define HAKMEM_FRONTEND_GUARD_SEGV_HANDLER_H_

#include <cstdint>

namespace hakmem {

enum class Access : uint8_t { kUnknown, kRead, kWrite, kExecute };

struct Fault {
  uintptr_t address;
  uintptr_t instruction;  // that made the access; 0 if unknown
  Access access;
};

// Calls report(fault) for each fault in [begin, begin + length), in a signal
// handler and on one thread at a time, on the alternate signal stack if the
// program has one. Call it once per process. Returns 0 or an errno.
int InstallFaultHandler(uintptr_t begin, uintptr_t length,
                        void (*report)(const Fault& fault));

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_GUARD_SEGV_HANDLER_H_
