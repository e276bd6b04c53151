// The heap profile as a program and its user switch it on and off.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/blackbox/profile/profile_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kRate = 4096;

void AllocateMuch() {
  for (int i = 0; i < 20000; ++i) free(Opaque(malloc(1000)));
}

TEST(ProfileTest, ThereIsNoneBeforeTheFirstStart) {
  if (!HasTracing()) GTEST_SKIP();
  EXPECT_EQ(Hakmem().profile_write(TemporaryFile("none").c_str()), ENODATA);
}

TEST(ProfileTest, WithoutTracingThereIsNone) {
  if (HasTracing()) GTEST_SKIP();
  EXPECT_EQ(Hakmem().profile_start(kRate), ENOSYS);
  EXPECT_EQ(Hakmem().profile_write(TemporaryFile("none").c_str()), ENOSYS);
}

TEST(ProfileTest, StartAndStop) {
  if (!HasTracing()) GTEST_SKIP();
  EXPECT_EQ(
      RunForked([] {
        EXPECT_EQ(Hakmem().profile_start(0), EINVAL);
        EXPECT_EQ(Hakmem().profile_start(size_t{2} << 30), EINVAL);
        EXPECT_EQ(Hakmem().profile_start(kRate), 0);
        EXPECT_EQ(Hakmem().profile_start(kRate), EBUSY);
        AllocateMuch();
        Hakmem().profile_stop();
        const ProfileText stopped = ProfileNow();
        EXPECT_NEAR(stopped.allocated.bytes, 20.2e6, 5e6);
        EXPECT_EQ(stopped.pid, static_cast<uint64_t>(getpid()));
        AllocateMuch();
        EXPECT_NEAR(ProfileNow().allocated.bytes, stopped.allocated.bytes, 2e5);
        EXPECT_EQ(Hakmem().profile_start(kRate / 2), 0);
        AllocateMuch();
        EXPECT_GT(ProfileNow().allocated.bytes, stopped.allocated.bytes + 15e6);
      }).exit_code,
      0);
}

TEST(ProfileTest, BadPathsAreRefused) {
  if (!HasTracing()) GTEST_SKIP();
  EXPECT_EQ(RunForked([] {
              EXPECT_EQ(Hakmem().profile_start(kRate), 0);
              errno = EDOM;
              EXPECT_EQ(Hakmem().profile_write(nullptr), EINVAL);
              EXPECT_EQ(Hakmem().profile_write(""), EINVAL);
              EXPECT_EQ(Hakmem().profile_write("/nowhere/at/all"), ENOENT);
              EXPECT_EQ(Hakmem().profile_write("/dev/full"), ENOSPC);
              EXPECT_EQ(errno, EDOM);
            }).exit_code,
            0);
}

// --- By the environment ------------------------------------------------------

ChildResult RunProfiled(const std::string& program, const std::string& path,
                        const std::string& signal = "0") {
  return RunChildProgram(program, {{"HAKMEM_PROFILE", path},
                                   {"HAKMEM_PROFILE_RATE", "4K"},
                                   {"HAKMEM_PROFILE_SIGNAL", signal}});
}

void ExpectProfileAt(const std::string& path) {
  const ProfileText profile = ReadProfile(path);
  EXPECT_TRUE(profile.is_whole) << path;
  EXPECT_GT(profile.allocated.bytes, 10e6) << path;
  unlink(path.c_str());
}

const ChildProgram allocates("allocates", [] {
  AllocateMuch();
  return 0;
});

TEST(ProfileTest, IsWrittenAtExit) {
  if (!HasTracing()) GTEST_SKIP();
  const std::string path = TemporaryFile("at_exit");
  const ChildResult child = RunProfiled("allocates", path);
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.err, "");
  ExpectProfileAt(path);
}

TEST(ProfileTest, WhatCannotBeWrittenIsReported) {
  if (!HasTracing()) GTEST_SKIP();
  const ChildResult child = RunProfiled("allocates", "/nowhere/at/all");
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.err,
            "hakmem: the heap profile /nowhere/at/all was not written: "
            "ENOENT\n");
}

const ChildProgram closes_all("closes_all", [] {
  for (int file = 0; file < 1024; ++file) close(file);
  AllocateMuch();
  return 0;
});

TEST(ProfileTest, AProcessMayCloseAllDescriptors) {
  if (!HasTracing()) GTEST_SKIP();
  const std::string path = TemporaryFile("closed");
  EXPECT_EQ(RunProfiled("closes_all", path).exit_code, 0);
  ExpectProfileAt(path);
}

const ChildProgram forks("forks", [] {
  AllocateMuch();
  const pid_t child = fork();
  if (child == 0) {
    AllocateMuch();
    return 0;
  }
  std::ofstream(TemporaryFile("forked")) << child << "\n";
  int status = 0;
  waitpid(child, &status, 0);
  return status;
});

TEST(ProfileTest, AForkedChildWritesItsOwnFile) {
  if (!HasTracing()) GTEST_SKIP();
  const std::string path = TemporaryFile("parent");
  EXPECT_EQ(RunProfiled("forks", path).exit_code, 0);
  std::string child;
  std::ifstream(TemporaryFile("forked")) >> child;
  const ProfileText parents = ReadProfile(path);
  const ProfileText childs = ReadProfile(path + "." + child);
  EXPECT_EQ(std::to_string(childs.pid), child);
  EXPECT_NE(parents.pid, childs.pid);
  // It went on with what its parent had.
  EXPECT_GT(childs.allocated.bytes, parents.allocated.bytes + 10e6);
  ExpectProfileAt(path);
  ExpectProfileAt(path + "." + child);
}

const ChildProgram waits_for_dump("waits_for_dump", []() -> int {
  const std::string path = std::getenv("HAKMEM_PROFILE");
  AllocateMuch();
  raise(SIGUSR2);
  for (int i = 0; i < 1000 && access(path.c_str(), R_OK) != 0; ++i) {
    AllocateMuch();
  }
  _exit(ReadProfile(path).is_whole ? 0 : 1);
});

TEST(ProfileTest, ASignalAsksForIt) {
  if (!HasTracing()) GTEST_SKIP();
  const std::string path = TemporaryFile("by_signal");
  EXPECT_EQ(
      RunProfiled("waits_for_dump", path, std::to_string(SIGUSR2)).exit_code,
      0);
  ExpectProfileAt(path);
}

// Another program runs in its place.
const ChildProgram becomes_another("becomes_another", [] {
  AllocateMuch();
  execl("/bin/true", "true", nullptr);
  return 1;
});

TEST(ProfileTest, AnotherProgramMayTakeTheProcessOver) {
  if (!HasTracing()) GTEST_SKIP();
  const std::string path = TemporaryFile("exec");
  const ChildResult child = RunProfiled("becomes_another", path);
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.err, "");
  EXPECT_TRUE(ReadProfile(path).is_whole);
  unlink(path.c_str());
}

}  // namespace
}  // namespace hakmem_test
