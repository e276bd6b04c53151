// Compares HAKMEM's fast paths with tests/fast_path/fast_path.golden. Skipped
// where they cannot be counted, or with another compiler or flags than the
// file's.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tests/fast_path/golden.h"
#include "tests/fast_path/line_diff.h"
#include "tests/fast_path/measured_functions.h"
#include "tests/fast_path/trace.h"

namespace hakmem::bench {
namespace {

constexpr char kCaller[] = "tests/fast_path/caller";
constexpr char kGolden[] = "tests/fast_path/fast_path.golden";

std::string Here(const std::string& path) {
  return std::filesystem::absolute(path).string();
}

std::string ReadGolden() {
  std::ostringstream text;
  text << std::ifstream(kGolden).rdbuf();
  return text.str();
}

TEST(FastPath, IsAsReviewed) {
  const std::string golden = ReadGolden();
  ASSERT_NE(CompilerOf(golden), "") << kGolden << " is not to be read";
  if (Compiler() != CompilerOf(golden)) {
    GTEST_SKIP() << kGolden << " is about " << CompilerOf(golden)
                 << ", this build is of " << Compiler();
  }
  const absl::StatusOr<std::string> now = GoldenTextNow();
  if (absl::IsUnavailable(now.status())) GTEST_SKIP() << now.status().message();
  ASSERT_TRUE(now.ok()) << now.status();
  if (*now == golden) return;
  FAIL() << "The fast paths are not as " << kGolden << " has them:\n\n"
         << LineDiff(golden, *now)
         << "\nIf that is worth it, ./bazelw run //tests/fast_path:update "
            "writes the file anew; give the reason in the commit.";
}

TEST(FastPath, EveryRoundIsTraced) {
  const auto calls = TraceCalls(Here(kCaller), Here("libhakmem-segment.so"));
  if (absl::IsUnavailable(calls.status())) {
    GTEST_SKIP() << calls.status().message();
  }
  ASSERT_TRUE(calls.ok()) << calls.status();
  constexpr size_t kMisses = kMeasuredFunctionCount - kMeasuredHitCount;
  ASSERT_EQ(calls->size(), kMeasuredHitCount * kMeasuredRounds +
                               kMisses * kMeasuredMissRounds);
  size_t next = 0;
  const auto expect_rounds = [&](int rounds, size_t first, size_t end) {
    for (int round = 0; round < rounds; ++round) {
      for (size_t function = first; function < end; ++function) {
        EXPECT_EQ((*calls)[next].function, function);
        EXPECT_GE((*calls)[next].steps.size(), 3u);
        ++next;
      }
    }
  };
  expect_rounds(kMeasuredRounds, 0, kMeasuredHitCount);
  expect_rounds(kMeasuredMissRounds, kMeasuredHitCount, kMeasuredFunctionCount);
}

TEST(FastPath, AnotherAllocatorIsNotTakenForTheLibrary) {
  // The caller starts, on libc's malloc, and reports that.
  const auto calls = TraceCalls(Here(kCaller), Here("no_such_library.so"));
  if (absl::IsUnavailable(calls.status())) {
    GTEST_SKIP() << calls.status().message();
  }
  EXPECT_EQ(calls.status().message(),
            "the traced program failed: exit status 1");
}

TEST(FastPath, AMissingProgramIsAFailure) {
  const auto calls =
      TraceCalls(Here("no_such_program"), Here("libhakmem-segment.so"));
  if (absl::IsUnavailable(calls.status())) {
    GTEST_SKIP() << calls.status().message();
  }
  EXPECT_FALSE(calls.ok());
}

#if defined(__x86_64__)

// Makes ptrace fail with EPERM in this process from now on.
bool ForbidPtrace() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter = {std::size(program), program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

TEST(FastPath, WithoutPtraceItCannotBeCounted) {
  constexpr int kUnavailable = 10;
  constexpr int kNoSeccomp = 11;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!ForbidPtrace()) _exit(kNoSeccomp);
    const auto calls = TraceCalls(Here(kCaller), Here("libhakmem-segment.so"));
    _exit(absl::IsUnavailable(calls.status()) ? kUnavailable : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << status;
  if (WEXITSTATUS(status) == kNoSeccomp) GTEST_SKIP() << "no seccomp here";
  EXPECT_EQ(WEXITSTATUS(status), kUnavailable);
}

#endif

}  // namespace
}  // namespace hakmem::bench
