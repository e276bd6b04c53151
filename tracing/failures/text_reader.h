// Reads small text files of /proc and /sys: by raw system calls, byte by byte
// from a small buffer, so that it works on the smallest stack and without free
// memory. Allocates nothing; async-signal-safe; no call is a cancellation
// point.
//
//   TextReader file(root, "/proc/meminfo");
//   char key[32];
//   uint64_t value;
//   while (file.NextField(key, sizeof(key), &value)) …
//
// A missing, unreadable or truncated file yields less, never an error.
#ifndef HAKMEM_TRACING_FAILURES_TEXT_READER_H_
#define HAKMEM_TRACING_FAILURES_TEXT_READER_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

class TextReader {
 public:
  static constexpr size_t kPathBytes = 512;

  // Opens the file whose path is the three parts concatenated.
  TextReader(const char* root, const char* path, const char* name = "");
  ~TextReader();
  TextReader(const TextReader&) = delete;
  TextReader& operator=(const TextReader&) = delete;

  // The next byte, or kEnd.
  static constexpr int kEnd = -1;
  int Next();

  // Reads a decimal integer after optional spaces; false when there is none
  // here. Consumes the byte after it.
  bool NextNumber(uint64_t* value);

  // Goes to the start of the next line; false at the end of the file.
  bool SkipLine();

  // Reads the next line of the form "key: number" or "key number", skipping
  // others. Longer keys are truncated. False at the end of the file.
  bool NextField(char* key, size_t capacity, uint64_t* value);

 private:
  bool Refill();

  int file_;
  bool at_end_ = false;
  bool at_newline_ = false;  // the last byte returned ended a line
  size_t at_ = 0;
  size_t length_ = 0;
  char buffer_[1024];
};

// The number at the beginning of the file; false when there is none.
bool ReadNumber(const char* root, const char* path, const char* name,
                uint64_t* value);

// The number of the line that begins with `key`; false when there is none.
bool ReadField(const char* root, const char* path, const char* name,
               const char* key, uint64_t* value);

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_TEXT_READER_H_
