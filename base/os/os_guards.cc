#include "base/os/os_guards.h"

#include <sys/mman.h>

#include <atomic>
#include <cerrno>

#include "base/os/memory_calls.h"
#include "base/os/os_memory.h"
#include "base/os/system_call.h"
#include "os_calls.h"

namespace hakmem::os {
namespace {

// Debian 12's headers do not define them yet.
constexpr int kGuardInstall = 102;
constexpr int kGuardRemove = 103;

// Whether any guard was made by mprotect: the kernel is too old, or the program
// locks its memory. relaxed: whoever removes a guard knows that it was made.
constinit std::atomic<bool> by_protection{false};

bool Protect(uintptr_t address, size_t bytes, int protection) {
  return !ShouldInjectFault(Call::kMprotect) &&
         ProtectPages(address, bytes, protection) == 0;
}

bool Advise(uintptr_t address, size_t bytes, int advice) {
  return !ShouldInjectFault(Call::kMadvise) &&
         AdvisePages(address, bytes, advice) == 0;
}

// Whether the kernel cannot read at `address`: user-space emulators return
// success for any advice they do not know. Probed with a call that reads there
// and then fails on its first argument.
bool IsOutOfReach(uintptr_t address) {
  constexpr int kNoSuchWay = -1;
  constexpr size_t kSignalSetBytes = 8;
  return SystemCall(SYS_rt_sigprocmask, kNoSuchWay, address, nullptr,
                    kSignalSetBytes) == -EFAULT;
}

}  // namespace

void Guard(uintptr_t address, size_t bytes) {
  if (bytes % PageBytes() != 0) return;
  const int saved_errno = errno;
  if (!Advise(address, bytes, kGuardInstall) || !IsOutOfReach(address)) {
    by_protection.store(true, std::memory_order_relaxed);
    // Contents under a protection persist, but zeros are promised.
    Advise(address, bytes, MADV_DONTNEED);
    Protect(address, bytes, PROT_NONE);
  }
  errno = saved_errno;
}

void Unguard(uintptr_t address, size_t bytes) {
  const int saved_errno = errno;
  // Neither can fail where a guard exists: the first allocates nothing, and the
  // second reduces the number of mappings, as the range is one mapping but for
  // its guards.
  Advise(address, bytes, kGuardRemove);
  if (by_protection.load(std::memory_order_relaxed)) {
    Protect(address, bytes, PROT_READ | PROT_WRITE);
  }
  errno = saved_errno;
}

}  // namespace hakmem::os
