// Raw logging: one line on stderr by write(2). Allocates nothing, takes no
// lock, keeps errno; callable from anywhere, also inside the allocator.
//
//   LogLine().Text("free of ").Hex(address).Text(": not a block").Send();
#ifndef HAKMEM_BASE_TEXT_LOG_H_
#define HAKMEM_BASE_TEXT_LOG_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

// Text of bounded length, built in place. The excess is truncated.
class TextBuffer {
 public:
  TextBuffer(char* buffer, size_t capacity)
      : buffer_(buffer), capacity_(capacity) {}

  TextBuffer& Text(const char* text);
  TextBuffer& Text(const char* text, size_t length);
  TextBuffer& Decimal(uint64_t value);
  TextBuffer& Hex(uintptr_t value);

  // Length of the whole text, including what was truncated.
  size_t length() const { return length_; }

 private:
  void Add(char c) {
    if (length_ < capacity_) buffer_[length_] = c;
    ++length_;
  }

  char* buffer_;
  size_t capacity_;
  size_t length_ = 0;
};

// Appends "hakmem[1234]: " with the process id, so that lines of several
// processes in one log can be told apart. One system call each time: a cached
// id would be wrong in a child made without fork(). Without the number when the
// system refuses. Keeps errno.
void WriteLinePrefix(TextBuffer& out);

// The most bytes that WriteLinePrefix appends.
inline constexpr size_t kLinePrefixBytes = 32;

// One line, starting with WriteLinePrefix's prefix.
class LogLine {
 public:
  LogLine() : text_(buffer_, sizeof(buffer_) - 1) { WriteLinePrefix(text_); }

  // Control characters become '?', so the output is always a single line.
  LogLine& Text(const char* text);
  LogLine& Decimal(uint64_t value) {
    text_.Decimal(value);
    return *this;
  }
  LogLine& Hex(uintptr_t value) {
    text_.Hex(value);
    return *this;
  }

  // Writes the line. Errors are ignored: there is nowhere to report them.
  void Send();

  // Writes the line and aborts the process.
  [[noreturn]] void SendAndAbort();

 private:
  char buffer_[512];
  TextBuffer text_;
};

}  // namespace hakmem

#endif  // HAKMEM_BASE_TEXT_LOG_H_
