#include "base/output.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/errno_name.h"
#include "base/log.h"
#include "base/raw_write.h"
#include "os_calls.h"

namespace hakmem {
namespace {

constinit std::atomic<bool> complained[options::kCount] = {};

iovec Part(const char* text, size_t length) {
  return {const_cast<char*>(text), length};
}

void ComplainOnce(options::Option where, const char* path, int error) {
  // relaxed: only one thread shall say it; nothing is published by it.
  if (complained[where].exchange(true, std::memory_order_relaxed)) return;
  LogLine line;
  line.Text(options::Describe(where).environment).Text(": cannot open (");
  const char* name = ErrnoName(error);
  if (name != nullptr) {
    line.Text(name);
  } else {
    line.Text("errno ").Decimal(static_cast<uint64_t>(error));
  }
  line.Text("), so nothing is written to ").Text(path).Send();
}

}  // namespace

void SendLineToStderr(const char* text, size_t length) {
  static constexpr char kPrefix[] = "hakmem: ";
  iovec parts[] = {Part(kPrefix, sizeof(kPrefix) - 1), Part(text, length),
                   Part("\n", 1)};
  RawWrite(STDERR_FILENO, parts, 3);
}

void SendLine(options::Option where, const char* text, size_t length) {
  const char* path = options::OutputPath(where);
  if (path[0] == '\0') return SendLineToStderr(text, length);
  const int saved_errno = errno;
  // System calls by number: the C library's are cancellation points. Without
  // O_NONBLOCK, a FIFO that nobody reads would stop the program here.
  const long file = os::FailsOnPurpose(os::Call::kOpen)
                        ? -1
                        : syscall(SYS_openat, AT_FDCWD, path,
                                  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
                                      O_NONBLOCK | O_NOCTTY,
                                  0644);
  if (file < 0) {
    ComplainOnce(where, path, errno);
  } else {
    iovec parts[] = {Part(text, length), Part("\n", 1)};
    RawWrite(static_cast<int>(file), parts, 2);
    syscall(SYS_close, file);
  }
  errno = saved_errno;
}

}  // namespace hakmem
