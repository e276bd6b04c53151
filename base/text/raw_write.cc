#include "base/text/raw_write.h"

#include <signal.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>

#include "base/os/system_call.h"

namespace hakmem {
namespace {

// The kernel's signal set: signal n is bit n - 1.
using SignalSet = uint64_t;
constexpr SignalSet kPipe = SignalSet{1} << (SIGPIPE - 1);

// All by number: a program may interpose libc's functions, and libc's
// sigtimedwait and writev are cancellation points.

// Blocks SIGPIPE in this thread and discards one raised by a write: a closed
// reader must not kill the program.
class NoBrokenPipeSignal {
 public:
  NoBrokenPipeSignal() {
    SignalSet pending = 0;
    SystemCall(SYS_rt_sigpending, &pending, sizeof(pending));
    was_pending_ = (pending & kPipe) != 0;
    SystemCall(SYS_rt_sigprocmask, SIG_BLOCK, &kPipe, &before_, sizeof(kPipe));
  }

  ~NoBrokenPipeSignal() {
    if (raised_ && !was_pending_) {
      const timespec no_wait = {};
      while (SystemCall(SYS_rt_sigtimedwait, &kPipe, nullptr, &no_wait,
                        sizeof(kPipe)) == -EINTR) {
      }
    }
    SystemCall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr,
               sizeof(before_));
  }

  NoBrokenPipeSignal(const NoBrokenPipeSignal&) = delete;
  NoBrokenPipeSignal& operator=(const NoBrokenPipeSignal&) = delete;

  void Raised() { raised_ = true; }

 private:
  SignalSet before_ = 0;
  bool was_pending_;
  bool raised_ = false;
};

// Removes the first `bytes`, already written, from `parts`.
void Advance(iovec*& parts, int& count, size_t bytes) {
  while (count > 0 && bytes >= parts->iov_len) {
    bytes -= parts->iov_len;
    ++parts;
    --count;
  }
  if (count > 0) {
    parts->iov_base = static_cast<char*>(parts->iov_base) + bytes;
    parts->iov_len -= bytes;
  }
}

}  // namespace

void RawWrite(int file, iovec* parts, int count) {
  NoBrokenPipeSignal no_signal;
  Advance(parts, count, 0);
  while (count > 0) {
    const long written = SystemCall(SYS_writev, file, parts, count);
    if (written > 0) {
      Advance(parts, count, static_cast<size_t>(written));
    } else if (written != -EINTR) {
      if (written == -EPIPE) no_signal.Raised();
      break;
    }
  }
}

}  // namespace hakmem
