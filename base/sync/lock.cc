#include "base/sync/lock.h"

#include <linux/futex.h>

#include "base/os/system_call.h"

namespace hakmem {

namespace {

// Critical sections are well under a microsecond, so a short spin usually
// outlasts the holder; a longer one would only compete with it for the core.
constexpr int kSpins = 100;

void CpuRelax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

void Mutex::LockSlow() {
  futex_lock::LockSlow(word_, kSpins, CpuRelax,
                       [](std::atomic<uint32_t>& word, uint32_t while_value) {
                         SystemCall(SYS_futex, &word, FUTEX_WAIT_PRIVATE,
                                    while_value, nullptr, nullptr, 0);
                       });
}

void Mutex::Wake() {
  SystemCall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace hakmem
