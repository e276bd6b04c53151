// A temporary folder that only this user can read, and that is removed with
// what it holds when its object goes.
#ifndef HAKMEM_TOOLS_HAKMEM_PRIVATE_FOLDER_H_
#define HAKMEM_TOOLS_HAKMEM_PRIVATE_FOLDER_H_

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace hakmem::tools {

class PrivateFolder {
 public:
  // In TMPDIR or, where that cannot be written to, in /tmp.
  PrivateFolder() {
    std::error_code error;
    const Path parent = std::filesystem::temp_directory_path(error);
    if (error || !MakeIn(std::filesystem::absolute(parent, error))) {
      MakeIn("/tmp");
    }
  }
  ~PrivateFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  // Empty, with errno, when it could not be made.
  const std::filesystem::path& path() const { return path_; }

 private:
  using Path = std::filesystem::path;

  bool MakeIn(const Path& parent) {
    std::string pattern = (parent / "hakmem-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) return false;
    path_ = pattern;
    return true;
  }

  Path path_;
};

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_HAKMEM_PRIVATE_FOLDER_H_
