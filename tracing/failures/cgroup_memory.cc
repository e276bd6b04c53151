#include "tracing/failures/cgroup_memory.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "base/text/log.h"
#include "tracing/failures/text_reader.h"

namespace hakmem {
namespace {

// File names of a cgroup version.
struct Version {
  int number;
  const char* mount;
  const char* limit;
  const char* used;
  const char* files_key;  // in memory.stat
};

constexpr Version kVersions[] = {
    {2, "/sys/fs/cgroup", "/memory.max", "/memory.current", "file"},
    {1, "/sys/fs/cgroup/memory", "/memory.limit_in_bytes",
     "/memory.usage_in_bytes", "total_cache"},
};

// Version 1 writes "no limit" as the largest number of whole pages.
constexpr uint64_t kNoLimit = uint64_t{1} << 62;

// A path of a folder in the cgroup file system.
class Folder {
 public:
  // Reads the process's cgroup of `version` from /proc; false when there is
  // none, or its path is too long.
  bool Find(const char* root, const Version& version);

  // Goes one folder up; false at the mount itself.
  bool GoUp() {
    size_t length = strlen(path_);
    while (length > mount_length_ && path_[length - 1] != '/') --length;
    if (length <= mount_length_) return false;
    path_[length - 1] = '\0';
    return true;
  }

  const char* path() const { return path_; }

 private:
  bool FindLine(TextReader& file, int version);

  size_t mount_length_ = 0;
  char path_[TextReader::kPathBytes];
};

// Lines are "ID:controller,controller:/path"; version 2 has "0::/path".
// Returns true when the path of the wanted line comes next.
bool Folder::FindLine(TextReader& file, int version) {
  static constexpr char kController[] = "memory";
  static constexpr size_t kLength = sizeof(kController) - 1;
  const auto ends = [](int byte) {
    return byte == ':' || byte == '\n' || byte == TextReader::kEnd;
  };
  for (;;) {
    int byte = file.Next();
    const bool is_zero = byte == '0';
    while (!ends(byte)) byte = file.Next();
    bool is_memory = false;
    bool is_empty = true;
    if (byte == ':') {
      do {  // a controller
        size_t matched = 0;
        bool same = true;
        for (byte = file.Next(); byte != ',' && !ends(byte);
             byte = file.Next()) {
          same = same && matched < kLength && byte == kController[matched];
          if (same) ++matched;
          is_empty = false;
        }
        is_memory = is_memory || (same && matched == kLength);
      } while (byte == ',');
    }
    if (byte == ':') {
      if (version == 2 ? is_zero && is_empty : is_memory) return true;
      if (!file.SkipLine()) return false;
    }
    if (byte == TextReader::kEnd) return false;
  }
}

bool Folder::Find(const char* root, const Version& version) {
  TextReader file(root, "/proc/thread-self/cgroup");
  if (!FindLine(file, version.number)) return false;
  TextBuffer text(path_, sizeof(path_) - 1);
  text.Text(version.mount);
  mount_length_ = text.length();
  for (int byte = file.Next(); byte != '\n' && byte != TextReader::kEnd;
       byte = file.Next()) {
    const char c = static_cast<char>(byte);
    text.Text(&c, 1);
  }
  if (text.length() >= sizeof(path_)) return false;
  path_[text.length()] = '\0';
  // The root's path "/" would end the folder's name with a slash.
  if (text.length() == mount_length_ + 1) path_[mount_length_] = '\0';
  return true;
}

uint64_t RoomIn(const CgroupMemory& memory) {
  return memory.limit - std::min(memory.limit, memory.used);
}

}  // namespace

CgroupMemory FindCgroupMemory(const char* root) {
  CgroupMemory tightest;
  Folder folder;
  for (const Version& version : kVersions) {
    if (!folder.Find(root, version)) continue;
    do {
      CgroupMemory memory = {version.number, 0, 0, 0};
      // "max" is not a number.
      if (!ReadNumber(root, folder.path(), version.limit, &memory.limit) ||
          memory.limit >= kNoLimit ||
          !ReadNumber(root, folder.path(), version.used, &memory.used)) {
        continue;
      }
      if (tightest.version == 0 || RoomIn(memory) < RoomIn(tightest)) {
        (void)ReadField(root, folder.path(), "/memory.stat", version.files_key,
                        &memory.files);
        tightest = memory;
      }
    } while (folder.GoUp());
  }
  return tightest;
}

}  // namespace hakmem
