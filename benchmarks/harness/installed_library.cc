#include "benchmarks/harness/installed_library.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace hakmem::bench {
namespace {

namespace fs = std::filesystem;

// The first bytes of an ELF file: enough to tell what it is and for which
// machine. Other files read as zeros.
std::array<unsigned char, 20> ElfHeader(const std::string& path) {
  std::array<unsigned char, 20> header = {};
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(header.data()), header.size());
  if (std::memcmp(header.data(), ELFMAG, SELFMAG) != 0) header = {};
  return header;
}

// Where libraries are installed on this kind of system.
std::vector<fs::path> LibraryFolders() {
  std::vector<fs::path> folders;
  std::error_code ignored;
  for (const char* const parent : {"/usr/local/lib", "/usr/lib", "/lib"}) {
    for (const auto& entry : fs::directory_iterator(parent, ignored)) {
      // Debian's multiarch folders: <machine>-linux-gnu and the like.
      if (absl::StrContains(entry.path().filename().string(), "-linux-gnu")) {
        folders.push_back(entry.path());
      }
    }
    folders.push_back(parent);
    folders.push_back(absl::StrCat(parent, "64"));
  }
  return folders;
}

}  // namespace

bool IsSharedObjectForThisMachine(const std::string& path) {
  static const std::array<unsigned char, 20> own = ElfHeader("/proc/self/exe");
  const std::array<unsigned char, 20> its = ElfHeader(path);
  // Class (32 or 64 bits), byte order, and the machine field must agree.
  return its[0] != 0 && its[EI_CLASS] == own[EI_CLASS] &&
         its[EI_DATA] == own[EI_DATA] && its[18] == own[18] &&
         its[19] == own[19] && its[16] + its[17] == ET_DYN;
}

std::string FindInstalledLibrary(std::string_view pattern) {
  const bool is_prefix = absl::EndsWith(pattern, "*");
  const std::string_view name =
      pattern.substr(0, pattern.size() - (is_prefix ? 1 : 0));
  for (const fs::path& folder : LibraryFolders()) {
    std::vector<std::string> found;
    if (is_prefix) {
      std::error_code ignored;
      for (const auto& entry : fs::directory_iterator(folder, ignored)) {
        if (absl::StartsWith(entry.path().filename().string(), name)) {
          found.push_back(entry.path().string());
        }
      }
      std::sort(found.begin(), found.end());
    } else {
      found.push_back((folder / name).string());
    }
    for (const std::string& path : found) {
      if (IsSharedObjectForThisMachine(path)) return path;
    }
  }
  return "";
}

}  // namespace hakmem::bench
