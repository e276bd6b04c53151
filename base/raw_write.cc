#include "base/raw_write.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <ctime>

namespace hakmem {
namespace {

// What the kernel takes for a set of signals: the first 64 bits of sigset_t.
constexpr size_t kKernelSetBytes = 8;

// Holds SIGPIPE back from this thread, and takes away the one that a write
// raised meanwhile: a reader that is gone must not end the program.
class NoBrokenPipeSignal {
 public:
  NoBrokenPipeSignal() {
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }

  ~NoBrokenPipeSignal() {
    if (raised_ && !was_pending_) {
      const timespec no_wait = {};
      // By number: the C library's sigtimedwait is a cancellation point.
      while (syscall(SYS_rt_sigtimedwait, &pipe_, nullptr, &no_wait,
                     kKernelSetBytes) < 0 &&
             errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  NoBrokenPipeSignal(const NoBrokenPipeSignal&) = delete;
  NoBrokenPipeSignal& operator=(const NoBrokenPipeSignal&) = delete;

  void Raised() { raised_ = true; }

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_;
  bool raised_ = false;
};

// Takes `bytes` that were written off the front of `parts`.
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
  const int saved_errno = errno;
  {
    NoBrokenPipeSignal no_signal;
    Advance(parts, count, 0);
    while (count > 0) {
      // By number: the C library's writev is a cancellation point.
      const long written = syscall(SYS_writev, file, parts, count);
      if (written > 0) {
        Advance(parts, count, static_cast<size_t>(written));
      } else if (written == 0 || errno != EINTR) {
        if (written < 0 && errno == EPIPE) no_signal.Raised();
        break;
      }
    }
  }
  errno = saved_errno;
}

}  // namespace hakmem
