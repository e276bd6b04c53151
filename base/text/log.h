// Raw logging: one line on stderr by write(2). Allocates nothing, takes no
// lock, keeps errno; may be used from anywhere, also inside the allocator.
//
//   LogLine().Text("free of ").Hex(address).Text(": not a block").Send();
#ifndef HAKMEM_BASE_TEXT_LOG_H_
#define HAKMEM_BASE_TEXT_LOG_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

// Text of bounded length, built in place. What does not fit is cut.
class TextBuffer {
 public:
  TextBuffer(char* buffer, size_t capacity)
      : buffer_(buffer), capacity_(capacity) {}

  TextBuffer& Text(const char* text);
  TextBuffer& Text(const char* text, size_t length);
  TextBuffer& Decimal(uint64_t value);
  TextBuffer& Hex(uintptr_t value);

  // Length of the whole text, also of what was cut.
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

// Adds "hakmem[1234]: ", the number being that of this process: of lines from
// several processes in one log, each says whose it is. One system call (a
// number that is kept would be wrong in a child that was not made by fork());
// keeps errno. Without the number when the system does not tell it.
void WriteLinePrefix(TextBuffer& out);

// The most that WriteLinePrefix adds.
inline constexpr size_t kLinePrefixBytes = 32;

// One line, opened by WriteLinePrefix.
class LogLine {
 public:
  LogLine() : text_(buffer_, sizeof(buffer_) - 1) { WriteLinePrefix(text_); }

  // Control characters become '?': whatever the text, the line stays one.
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
