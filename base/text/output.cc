#include "base/text/output.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/text/errno_name.h"
#include "base/text/log.h"
#include "base/text/raw_write.h"
#include "os_calls.h"

namespace hakmem {
namespace {

constinit std::atomic<bool> complained[options::kCount] = {};

iovec Part(const char* text, size_t length) {
  return {const_cast<char*>(text), length};
}

void ComplainOnce(options::Option where, const char* path, int error) {
  // relaxed: only picks the one thread that reports; publishes nothing.
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

// Writes `prefix`, then `text`, to the descriptor `file`.
void Write(int file, iovec prefix, const char* text, size_t length) {
  iovec parts[] = {prefix, Part(text, length), Part("\n", 1)};
  RawWrite(file, parts, 3);
}

void Append(options::Option where, iovec prefix, const char* text,
            size_t length) {
  const char* path = options::OutputPath(where);
  const int saved_errno = errno;
  // System calls by number: the C library's are cancellation points.
  // O_NONBLOCK: else opening a FIFO without a reader would block the program.
  const long file = os::ShouldInjectFault(os::Call::kOpen)
                        ? -1
                        : syscall(SYS_openat, AT_FDCWD, path,
                                  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
                                      O_NONBLOCK | O_NOCTTY,
                                  0644);
  if (file < 0) {
    ComplainOnce(where, path, errno);
  } else {
    Write(static_cast<int>(file), prefix, text, length);
    syscall(SYS_close, file);
  }
  errno = saved_errno;
}

bool GoesToStderr(options::Option where) {
  return options::OutputPath(where)[0] == '\0';
}

// The prefix of a human-readable line.
class Prefix {
 public:
  Prefix() : text_(buffer_, sizeof(buffer_)) { WriteLinePrefix(text_); }
  iovec part() { return Part(buffer_, text_.length()); }

 private:
  char buffer_[kLinePrefixBytes];
  TextBuffer text_;
};

}  // namespace

void SendLineToStderr(const char* text, size_t length) {
  Write(STDERR_FILENO, Prefix().part(), text, length);
}

void SendLine(options::Option where, const char* text, size_t length) {
  if (GoesToStderr(where)) return SendLineToStderr(text, length);
  Append(where, Prefix().part(), text, length);
}

void SendData(options::Option where, const char* text, size_t length) {
  if (!GoesToStderr(where)) return Append(where, Part("", 0), text, length);
  static constexpr char kPrefix[] = "hakmem: ";
  Write(STDERR_FILENO, Part(kPrefix, sizeof(kPrefix) - 1), text, length);
}

void SendBare(options::Option where, const char* text, size_t length) {
  if (!GoesToStderr(where)) return Append(where, Part("", 0), text, length);
  Write(STDERR_FILENO, Part("", 0), text, length);
}

}  // namespace hakmem
