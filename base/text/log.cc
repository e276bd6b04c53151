#include "base/text/log.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/text/raw_write.h"

namespace hakmem {

TextBuffer& TextBuffer::Text(const char* text) {
  for (; *text != '\0'; ++text) Add(*text);
  return *this;
}

TextBuffer& TextBuffer::Text(const char* text, size_t length) {
  for (size_t i = 0; i < length; ++i) Add(text[i]);
  return *this;
}

TextBuffer& TextBuffer::Decimal(uint64_t value) {
  char digits[20];
  size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (count != 0) Add(digits[--count]);
  return *this;
}

TextBuffer& TextBuffer::Hex(uintptr_t value) {
  Text("0x");
  int shift = 60;
  while (shift > 0 && (value >> shift) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) Add("0123456789abcdef"[(value >> shift) & 15]);
  return *this;
}

void WriteLinePrefix(TextBuffer& out) {
  const int saved_errno = errno;
  const long process = syscall(SYS_getpid);
  errno = saved_errno;
  out.Text("hakmem");
  if (process > 0) {
    out.Text("[").Decimal(static_cast<uint64_t>(process)).Text("]");
  }
  out.Text(": ");
}

LogLine& LogLine::Text(const char* text) {
  for (; *text != '\0'; ++text) {
    const bool is_control = static_cast<unsigned char>(*text) < ' ';
    text_.Text(is_control ? "?" : text, 1);
  }
  return *this;
}

void LogLine::Send() {
  const size_t length = std::min(text_.length(), sizeof(buffer_) - 1);
  buffer_[length] = '\n';
  iovec line = {buffer_, length + 1};
  RawWrite(STDERR_FILENO, &line, 1);
}

void LogLine::SendAndAbort() {
  Send();
  abort();
}

}  // namespace hakmem
