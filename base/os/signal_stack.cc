#include "base/os/signal_stack.h"

#include <signal.h>

#include <cerrno>
#include <cstdint>

namespace hakmem {

size_t SignalStackBytesLeft() {
  const int saved_errno = errno;
  stack_t stack;
  const bool on_one =
      sigaltstack(nullptr, &stack) == 0 && (stack.ss_flags & SS_ONSTACK) != 0;
  errno = saved_errno;
  if (!on_one) return SIZE_MAX;
  const char* here = static_cast<const char*>(__builtin_frame_address(0));
  return static_cast<size_t>(here - static_cast<char*>(stack.ss_sp));
}

}  // namespace hakmem
