// fake_system_test_helper.h: a folder with made-up files of /proc and /sys, for
// code that looks at the system under a given root.
#ifndef HAKMEM_TRACING_FAILURES_FAKE_SYSTEM_TEST_HELPER_H_
#define HAKMEM_TRACING_FAILURES_FAKE_SYSTEM_TEST_HELPER_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace hakmem {

class FakeSystem {
 public:
  FakeSystem() {
    root_ = testing::TempDir() + "/fake_system_XXXXXX";
    if (mkdtemp(root_.data()) == nullptr) abort();
  }
  ~FakeSystem() { std::filesystem::remove_all(root_); }
  FakeSystem(const FakeSystem&) = delete;
  FakeSystem& operator=(const FakeSystem&) = delete;

  // `path` as in the real system: "/proc/meminfo".
  void Write(const std::string& path, const std::string& contents) {
    const std::filesystem::path whole = root_ + path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole, std::ios::binary) << contents;
  }

  void Remove(const std::string& path) {
    std::filesystem::remove_all(root_ + path);
  }

  // Makes `path` a file that can be opened but not read: a folder.
  void MakeUnreadable(const std::string& path) {
    Remove(path);
    std::filesystem::create_directories(root_ + path);
  }

  const char* root() const { return root_.c_str(); }

 private:
  std::string root_;
};

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_FAKE_SYSTEM_TEST_HELPER_H_
