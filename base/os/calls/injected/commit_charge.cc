#include "base/os/calls/injected/commit_charge.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hakmem::os {
namespace {

// Parses the hexadecimal number at `*text` and advances `*text` past it.
uintptr_t TakeHex(const char** text) {
  uintptr_t value = 0;
  for (;; ++*text) {
    const char c = **text;
    if (c >= '0' && c <= '9') {
      value = value * 16 + static_cast<uintptr_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value * 16 + static_cast<uintptr_t>(c - 'a' + 10);
    } else {
      return value;
    }
  }
}

// Sums up the lines of smaps, in their order.
class Summer {
 public:
  Summer(uintptr_t address, size_t bytes)
      : begin_(address), end_(address + bytes) {}

  void Line(const char* line) {
    constexpr char kFlags[] = "VmFlags:";
    if (strncmp(line, kFlags, sizeof(kFlags) - 1) == 0) {
      if (strstr(line, " ac") != nullptr) AddMapping();
      return;
    }
    const char* next = line;
    const uintptr_t first = TakeHex(&next);
    // Other lines look like "Size: 4 kB".
    if (next == line || *next != '-') return;
    ++next;
    mapping_begin_ = first;
    mapping_end_ = TakeHex(&next);
  }

  CommitCharge charge() const { return charge_; }

 private:
  void AddMapping() {
    charge_.all += mapping_end_ - mapping_begin_;
    const uintptr_t from = std::max(begin_, mapping_begin_);
    const uintptr_t to = std::min(end_, mapping_end_);
    if (from < to) charge_.in_range += to - from;
  }

  const uintptr_t begin_;
  const uintptr_t end_;
  uintptr_t mapping_begin_ = 0;
  uintptr_t mapping_end_ = 0;
  CommitCharge charge_;
};

}  // namespace

CommitCharge CommitChargeOf(uintptr_t address, size_t bytes) {
  const int saved_errno = errno;
  Summer summer(address, bytes);
  const int file = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
  char line[160];  // longer lines, with file names, are truncated
  size_t length = 0;
  char buffer[4096];
  for (ssize_t n; file >= 0 && (n = read(file, buffer, sizeof(buffer))) > 0;) {
    for (ssize_t i = 0; i < n; ++i) {
      if (buffer[i] != '\n') {
        if (length < sizeof(line) - 1) line[length++] = buffer[i];
        continue;
      }
      line[length] = '\0';
      summer.Line(line);
      length = 0;
    }
  }
  if (file >= 0) close(file);
  errno = saved_errno;
  return summer.charge();
}

}  // namespace hakmem::os
