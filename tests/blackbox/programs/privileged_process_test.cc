// A process with more privileges than its starter (AT_SECURE: set-user-ID,
// set-group-ID) ignores the environment, which that user controls: it writes no
// file, and every option has its default.
//
// The program, linked with the allocator (the loader preloads nothing into such
// processes), is copied to a world-writable folder in /tmp, so that only this
// rule prevents writing there.
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace {

namespace fs = std::filesystem;

constexpr uid_t kNobody = 65534;
constexpr gid_t kNoGroup = 65534;

std::string Contents(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The user that starts the program.
enum class Starter { kThisUser, kNobody };

class PrivilegedProcessTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/hakmem-privileged-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    ASSERT_EQ(chmod(folder, 0777), 0);
    program_ = folder_ / "program";
    fs::copy_file(getenv("HAKMEM_TEST_PROGRAM"), program_);
    ASSERT_EQ(chmod(program_.c_str(), 0755), 0);
  }

  ~PrivilegedProcessTest() override { fs::remove_all(folder_); }

  // Why the kernel would not raise a process's privileges here; "" if it does.
  std::string Obstacle() const {
    struct statvfs system;
    if (statvfs(folder_.c_str(), &system) != 0) return "no statvfs";
    if ((system.f_flag & ST_NOSUID) != 0) return "/tmp is mounted nosuid";
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) {
      return "this process may get no new rights (a sandbox's doing)";
    }
    return "";
  }

  // Sets the program file's owner, group and mode. False if not permitted.
  bool Give(uid_t user, gid_t group, mode_t mode) {
    // The mode last: chown clears the set-ID bits.
    return chown(program_.c_str(), user, group) == 0 &&
           chmod(program_.c_str(), mode) == 0;
  }

  // Runs the program with every output option set to a file, other options to
  // values other than their defaults, and one to nonsense.
  void Run(Starter starter) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const std::string statistics = "HAKMEM_STATS_AT_EXIT=" + Statistics();
      const std::string trace = "HAKMEM_ACE_TRACE=" + Trace();
      const std::string profile = "HAKMEM_PROFILE=" + Profile();
      std::vector<const char*> environment = {statistics.c_str(),
                                              trace.c_str(),
                                              profile.c_str(),
                                              "HAKMEM_PROFILE_RATE=1",
                                              "HAKMEM_ACE_TRACE_STACK=1",
                                              "HAKMEM_EVENTS=1",
                                              "HAKMEM_DECAY=nonsense",
                                              "HAKMEM_BIN_BYTES=1024",
                                              "HAKMEM_ACE_LIMIT_MB=77",
                                              "HAKMEM_HUGE_PAGES=0",
                                              nullptr};
      const fs::path out = folder_ / "out";
      const fs::path err = folder_ / "err";
      if (freopen(out.c_str(), "w", stdout) == nullptr ||
          freopen(err.c_str(), "w", stderr) == nullptr) {
        _exit(90);
      }
      if (starter == Starter::kNobody &&
          (setgid(kNoGroup) != 0 || setuid(kNobody) != 0)) {
        _exit(91);
      }
      execle(program_.c_str(), "program", nullptr, environment.data());
      _exit(92);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0) << WEXITSTATUS(status);
  }

  // The first line of the program's output.
  std::string Secure() const {
    std::istringstream lines(Contents(folder_ / "out"));
    std::string line;
    std::getline(lines, line);
    return line;
  }

  // The options that differ from their defaults.
  std::vector<std::string> ChangedOptions() const {
    std::istringstream lines(Contents(folder_ / "out"));
    std::string line;
    std::getline(lines, line);
    std::string name;
    unsigned long long value = 0;
    unsigned long long fallback = 0;
    size_t count = 0;
    std::vector<std::string> changed;
    while (lines >> name >> value >> fallback) {
      ++count;
      if (value != fallback) changed.push_back(name);
    }
    EXPECT_GT(count, 5u);
    return changed;
  }

  std::string Err() const { return Contents(folder_ / "err"); }
  std::string Statistics() const { return folder_ / "statistics"; }
  std::string Trace() const { return folder_ / "trace"; }
  std::string Profile() const { return folder_ / "profile"; }

  void ExpectNothingOfTheEnvironment() {
    ASSERT_EQ(Secure(), "secure 1");
    EXPECT_EQ(ChangedOptions(), std::vector<std::string>());
    EXPECT_FALSE(fs::exists(Statistics()));
    EXPECT_FALSE(fs::exists(Trace()));
    EXPECT_FALSE(fs::exists(Profile()));
    EXPECT_EQ(Err(), "");
  }

 private:
  fs::path folder_;
  fs::path program_;
};

// Shows that the files would be written otherwise.
TEST_F(PrivilegedProcessTest, AnOrdinaryProcessTakesIt) {
  Run(Starter::kThisUser);
  EXPECT_EQ(Secure(), "secure 0");
  EXPECT_GE(ChangedOptions().size(), 6u);
  EXPECT_NE(Contents(Statistics()).find("\"pid\""), std::string::npos);
  EXPECT_NE(Contents(Profile()).find("\nsite "), std::string::npos);
  EXPECT_NE(Err().find("HAKMEM_DECAY=nonsense"), std::string::npos);
}

TEST_F(PrivilegedProcessTest, ASetGroupIdProcessTakesNothing) {
  if (!Obstacle().empty()) GTEST_SKIP() << Obstacle();
  // As root any group will do, else another one of this user's.
  gid_t group = kNoGroup;
  if (geteuid() != 0) {
    gid_t groups[64];
    const int count = getgroups(64, groups);
    for (int i = 0; i < count; ++i) {
      if (groups[i] != getegid()) group = groups[i];
    }
  }
  if (!Give(geteuid(), group, 02755)) {
    GTEST_SKIP() << "this user is in one group only";
  }
  Run(Starter::kThisUser);
  ExpectNothingOfTheEnvironment();
}

TEST_F(PrivilegedProcessTest, ASetUserIdProcessTakesNothing) {
  if (!Obstacle().empty()) GTEST_SKIP() << Obstacle();
  if (!Give(kNobody, getegid(), 04755)) GTEST_SKIP() << "needs root";
  Run(Starter::kThisUser);
  ExpectNothingOfTheEnvironment();
}

TEST_F(PrivilegedProcessTest, WhatAnyUserStartsAsRootTakesNothing) {
  if (!Obstacle().empty()) GTEST_SKIP() << Obstacle();
  if (geteuid() != 0 || !Give(0, 0, 04755)) GTEST_SKIP() << "needs root";
  Run(Starter::kNobody);
  ExpectNothingOfTheEnvironment();
}

}  // namespace
