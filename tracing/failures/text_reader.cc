#include "tracing/failures/text_reader.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text/log.h"
#include "os_calls.h"

namespace hakmem {
namespace {

int Open(const char* root, const char* path, const char* name) {
  char whole[TextReader::kPathBytes];
  TextBuffer text(whole, sizeof(whole) - 1);
  text.Text(root).Text(path).Text(name);
  if (text.length() >= sizeof(whole)) return -1;
  whole[text.length()] = '\0';
  if (os::ShouldInjectFault(os::Call::kOpen)) return -1;
  return static_cast<int>(
      syscall(SYS_openat, AT_FDCWD, whole, O_RDONLY | O_CLOEXEC | O_NOCTTY));
}

}  // namespace

TextReader::TextReader(const char* root, const char* path, const char* name)
    : file_(Open(root, path, name)) {}

TextReader::~TextReader() {
  if (file_ >= 0) syscall(SYS_close, file_);
}

bool TextReader::Refill() {
  if (file_ < 0 || at_end_) return false;
  long length;
  do {
    length = syscall(SYS_read, file_, buffer_, sizeof(buffer_));
  } while (length < 0 && errno == EINTR);
  at_ = 0;
  length_ = length > 0 ? static_cast<size_t>(length) : 0;
  at_end_ = length_ == 0;
  return !at_end_;
}

int TextReader::Next() {
  if (at_ == length_ && !Refill()) return kEnd;
  const auto byte = static_cast<unsigned char>(buffer_[at_++]);
  at_newline_ = byte == '\n';
  return byte;
}

bool TextReader::NextNumber(uint64_t* value) {
  int byte = Next();
  while (byte == ' ' || byte == '\t') byte = Next();
  if (byte < '0' || byte > '9') return false;
  uint64_t number = 0;
  for (; byte >= '0' && byte <= '9'; byte = Next()) {
    if (__builtin_mul_overflow(number, uint64_t{10}, &number) ||
        __builtin_add_overflow(number, static_cast<uint64_t>(byte - '0'),
                               &number)) {
      return false;
    }
  }
  *value = number;
  return true;
}

bool TextReader::SkipLine() {
  at_newline_ = false;
  while (!at_newline_) {
    if (at_ == length_ && !Refill()) return false;
    const void* end = memchr(buffer_ + at_, '\n', length_ - at_);
    at_newline_ = end != nullptr;
    at_ = at_newline_
              ? static_cast<size_t>(static_cast<const char*>(end) - buffer_) + 1
              : length_;
  }
  return true;
}

bool TextReader::NextField(char* key, size_t capacity, uint64_t* value) {
  for (;;) {
    size_t length = 0;
    int byte = Next();
    for (; byte != ':' && byte != ' ' && byte != '\n'; byte = Next()) {
      if (byte == kEnd) return false;
      if (length < capacity - 1) key[length++] = static_cast<char>(byte);
    }
    key[length] = '\0';
    if (byte == '\n') continue;
    const bool found = NextNumber(value);
    if (!at_newline_) (void)SkipLine();  // the next call reports the end
    if (found) return true;
  }
}

bool ReadNumber(const char* root, const char* path, const char* name,
                uint64_t* value) {
  return TextReader(root, path, name).NextNumber(value);
}

bool ReadField(const char* root, const char* path, const char* name,
               const char* key, uint64_t* value) {
  TextReader file(root, path, name);
  char found[32];
  uint64_t number;
  while (file.NextField(found, sizeof(found), &number)) {
    if (strcmp(found, key) == 0) {
      *value = number;
      return true;
    }
  }
  return false;
}

}  // namespace hakmem
