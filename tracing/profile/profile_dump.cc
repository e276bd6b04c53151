#include "tracing/profile/profile_dump.h"

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/os/system_call.h"
#include "base/text/errno_name.h"
#include "base/text/log.h"
#include "base/text/options.h"
#include "tracing/failures/text_reader.h"
#include "tracing/profile/profile.h"
#include "tracing/stacks/symbol_file.h"

namespace hakmem {
namespace {

// Text to a file, some of it at a time. By number: the C library's functions
// are cancellation points, and a program may interpose them.
class Writer {
 public:
  explicit Writer(int file) : file_(file) {}

  Writer& Text(const char* text) { return Text(text, strlen(text)); }
  Writer& Text(const char* text, size_t length) {
    while (length != 0) {
      if (length_ == sizeof(buffer_)) Flush();
      const size_t part = std::min(length, sizeof(buffer_) - length_);
      memcpy(buffer_ + length_, text, part);
      length_ += part;
      text += part;
      length -= part;
    }
    return *this;
  }
  Writer& Decimal(uint64_t value) {
    char digits[24];
    TextBuffer text(digits, sizeof(digits));
    text.Decimal(value);
    return Text(digits, text.length());
  }
  Writer& Hex(uintptr_t value) {
    char digits[24];
    TextBuffer text(digits, sizeof(digits));
    text.Hex(value);
    return Text(digits, text.length());
  }
  // " blocks bytes"
  Writer& Weight(const SampleWeight& weight) {
    return Text(" ").Decimal(weight.count()).Text(" ").Decimal(weight.bytes);
  }

  // 0, or the errno of the first write that failed.
  int Finish() {
    Flush();
    return error_;
  }

 private:
  void Flush() {
    for (size_t sent = 0; sent < length_ && error_ == 0;) {
      const long n =
          SystemCall(SYS_write, file_, buffer_ + sent, length_ - sent);
      if (n > 0) {
        sent += static_cast<size_t>(n);
      } else if (n != -EINTR) {
        error_ = n == 0 ? EIO : static_cast<int>(-n);
      }
    }
    length_ = 0;
  }

  const int file_;
  int error_ = 0;
  size_t length_ = 0;
  char buffer_[1024];
};

void WriteSite(LiveTable::Index site, Writer& out) {
  StackTrace stack;
  LiveTable::Totals totals;
  Profile::ReadSite(site, &stack, &totals);
  if (totals.allocated.bytes == 0) return;  // 0, while there is room for all
  out.Text("site").Weight(totals.live).Weight(totals.peak);
  out.Weight(totals.allocated);
  for (size_t i = 0; i < stack.count; ++i) {
    out.Text(" ").Hex(stack.frames[i]);
  }
  out.Text("\n");
}

// Reads the next line without its end; false at the end of the file. What does
// not fit is left out.
bool NextLine(TextReader& file, char* line, size_t capacity) {
  size_t length = 0;
  int c = file.Next();
  if (c == TextReader::kEnd) return false;
  for (; c != TextReader::kEnd && c != '\n'; c = file.Next()) {
    if (length + 1 < capacity) line[length++] = static_cast<char>(c);
  }
  line[length] = '\0';
  return true;
}

void WriteBuildId(const char* path, Writer& out) {
  BuildId id;
  if (path[0] != '/' || !ReadBuildId(path, &id)) {
    out.Text("-");
    return;
  }
  static constexpr char kDigits[] = "0123456789abcdef";
  for (size_t i = 0; i < id.length; ++i) {
    out.Text(&kDigits[id.bytes[i] >> 4], 1).Text(&kDigits[id.bytes[i] & 15], 1);
  }
}

// Writes a line of /proc/self/maps, if it is of code that has a file or a name:
// "55d0c000-55d0d000 r-xp 00001000 fe:01 131 /usr/bin/program".
void WriteMap(char* line, Writer& out) {
  constexpr int kFields = 5;  // before the path
  const char* fields[kFields];
  char* at = line;
  for (const char*& field : fields) {
    while (*at == ' ') ++at;
    field = at;
    while (*at != ' ' && *at != '\0') ++at;
    if (*at == '\0') return;
    *at++ = '\0';
  }
  while (*at == ' ') ++at;
  char* const dash = strchr(line, '-');
  if (*at == '\0' || dash == nullptr || strchr(fields[1], 'x') == nullptr) {
    return;
  }
  *dash = '\0';
  out.Text("map 0x").Text(fields[0]).Text(" 0x").Text(dash + 1);
  out.Text(" 0x").Text(fields[2]).Text(" ");
  WriteBuildId(at, out);
  out.Text(" ").Text(at).Text("\n");
}

void WriteMaps(Writer& out) {
  TextReader file("", "/proc/self/maps");
  char line[1024];
  while (NextLine(file, line, sizeof(line))) WriteMap(line, out);
}

int WriteTo(int file, const Profile::Figures& figures) {
  Writer out(file);
  out.Text("hakmem heap profile 1\npid ");
  out.Decimal(static_cast<uint64_t>(SystemCall(SYS_getpid)));
  out.Text("\nrate ").Decimal(Profile::Rate());
  out.Text("\nlive").Weight(figures.all.live);
  out.Text("\npeak").Weight(figures.all.peak);
  out.Text("\nallocated").Weight(figures.all.allocated);
  out.Text("\ndropped").Weight(figures.dropped).Text("\n");
  for (LiveTable::Index i = 0; i < figures.sites; ++i) WriteSite(i, out);
  WriteMaps(out);
  return out.Text("end\n").Finish();
}

// `path` with the process's number in place of "%p"; false when it is too long.
bool ExpandPath(const char* path, char* expanded, size_t capacity) {
  TextBuffer out(expanded, capacity - 1);
  for (; *path != '\0'; ++path) {
    if (path[0] == '%' && path[1] == 'p') {
      out.Decimal(static_cast<uint64_t>(SystemCall(SYS_getpid)));
      ++path;
    } else {
      out.Text(path, 1);
    }
  }
  if (out.length() > capacity - 1) return false;
  expanded[out.length()] = '\0';
  return true;
}

int Write(const char* path) {
  const Profile::Figures figures = Profile::Sum();
  if (figures.sites == 0) return ENODATA;
  if (path[0] == '\0') return WriteTo(STDERR_FILENO, figures);
  char expanded[1100];
  if (!ExpandPath(path, expanded, sizeof(expanded))) return ENAMETOOLONG;
  const long file =
      SystemCall(SYS_openat, AT_FDCWD, expanded,
                 O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
  if (file < 0) return static_cast<int>(-file);
  const int error = WriteTo(static_cast<int>(file), figures);
  const long closed = SystemCall(SYS_close, file);
  return error != 0 ? error : static_cast<int>(-closed);
}

// The process that called OwnProfileFile.
constinit std::atomic<long> owner{0};

}  // namespace

int WriteProfile(const char* path) {
  const int saved_errno = errno;
  const int error = Write(path);
  errno = saved_errno;
  return error;
}

void OwnProfileFile() {
  // relaxed, here and below: read by the same process, or by a child of it.
  owner.store(SystemCall(SYS_getpid), std::memory_order_relaxed);
}

void WriteProfileAsAsked() {
  const char* const asked = options::OutputPath(options::k_profile);
  const bool is_shared =
      asked[0] != '\0' && strstr(asked, "%p") == nullptr &&
      owner.load(std::memory_order_relaxed) != SystemCall(SYS_getpid);
  char path[1100];
  TextBuffer text(path, sizeof(path) - 1);
  text.Text(asked).Text(is_shared ? ".%p" : "");
  path[std::min(text.length(), sizeof(path) - 1)] = '\0';
  const int error = WriteProfile(path);
  if (error == 0 || error == ENODATA) return;
  const char* const name = ErrnoName(error);
  LogLine line;
  line.Text("the heap profile ").Text(path).Text(" was not written: ");
  name != nullptr ? line.Text(name)
                  : line.Text("error ").Decimal(static_cast<uint64_t>(error));
  line.Send();
}

}  // namespace hakmem
