// The worker of real programs from outside: each program for a moment.
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "benchmarks/harness/process.h"
#include "benchmarks/testing/program_test_helper.h"
#include "benchmarks/testing/worker_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

constexpr char kFolder[] = "benchmarks/workloads/programs/";
constexpr int kCannotRun = 3;

std::string Worker() { return std::string(kFolder) + "programs_worker"; }

// Where this test has its own files: what it is before the tests change the
// environment for the worker.
const std::string& TestFolder() {
  static const std::string folder = testing::TempDir();
  return folder;
}

// Where the worker of this test makes its folders.
std::string Temporary() { return TestFolder() + "/programs"; }

size_t FilesIn(const std::string& folder) {
  const std::filesystem::directory_iterator files(folder);
  return static_cast<size_t>(std::distance(begin(files), end(files)));
}

// True as soon as the folder is empty; false when it is not in some seconds.
bool BecomesEmpty(const std::string& folder) {
  for (int tries = 0; tries < 500; ++tries) {
    if (FilesIn(folder) == 0) return true;
    usleep(10'000);
  }
  return false;
}

ProcessResult RunWorkload(const std::string& name, const std::string& preload,
                          const std::string& effort = "2") {
  return RunProgram(Worker(),
                    {"--workload=" + name, "--effort=" + effort, "--seed=7"},
                    preload);
}

class ProgramsWorker : public testing::Test {
 protected:
  ProgramsWorker() {
    std::filesystem::create_directories(Temporary());
    setenv("TEST_TMPDIR", Temporary().c_str(), 1);
  }
};

struct Case {
  const char* workload;
  // The process that does the work, as the kernel calls it.
  const char* process;
  double least_operations;
  double least_kib;
};

class EveryProgram : public ProgramsWorker,
                     public testing::WithParamInterface<Case> {};

TEST_P(EveryProgram, RunsOnWhatIsPreloadedAndCleansUp) {
  const Case& expected = GetParam();
  const std::string log = TestFolder() + "/allocating_programs";
  std::filesystem::remove(log);
  setenv("MALLOC_LOG", log.c_str(), 1);
  // libc too, for the rest of its malloc: redis-server brings another one.
  const ProcessResult result = RunWorkload(
      expected.workload,
      std::string(kFolder) + "liblogging_malloc_test_helper.so:libc.so.6");
  unsetenv("MALLOC_LOG");
  EXPECT_EQ(FilesIn(Temporary()), 0);
  if (result.ending == ProcessResult::kExited && result.code == kCannotRun) {
    EXPECT_TRUE(Contains(result.errors, "is not installed")) << result.errors;
    EXPECT_EQ(result.output, "");
    GTEST_SKIP() << result.errors;
  }
  ASSERT_TRUE(result.ok()) << result.Describe();
  EXPECT_EQ(result.errors, "");
  EXPECT_EQ(result.output.find('\n'), result.output.size() - 1);
  const WorkerLine line = LineOf(result, expected.workload);
  EXPECT_EQ(line.Text("workload"), expected.workload);
  EXPECT_GE(Number(line, "operations"), expected.least_operations);
  EXPECT_GT(Number(line, "wall_ns"), 1e5);
  EXPECT_GT(Number(line, "cpu_ns"), 1e5);
  EXPECT_LT(Number(line, "cpu_ns"), 60e9);
  EXPECT_GT(Number(line, "peak_rss_kib"), expected.least_kib);
  EXPECT_LT(Number(line, "peak_rss_kib"), 1 << 20);
  EXPECT_GT(Number(line, "minor_faults"), 30);
  EXPECT_FALSE(line.has_statistics);

  if (*expected.process != '\0') {
    EXPECT_TRUE(
        Contains("\n" + ReadFile(log), "\n" + std::string(expected.process)))
        << "allocating were: " << ReadFile(log);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Programs, EveryProgram,
    testing::Values(
        Case{"start-true", "true\n", 20, 500}, Case{"idle", "sleep\n", 1, 500},
        Case{"redis", "redis-server\n", 9000, 4096},
        Case{"python-json", "python3", 1000, 6000},
        Case{"python-dict", "python3", 6000, 6000},
        Case{"python-threads", "python3", 400, 6000},
        Case{"gxx", "cc1plus\n", 1, 60'000}, Case{"clang", "clang", 1, 60'000},
        Case{"sqlite", "sqlite3\n", 1500, 2048},
        Case{"lua", "lua", 10'000, 2048}, Case{"ghostscript", "gs\n", 1, 8192},
        Case{"git-gc", "git\n", 10, 4096}, Case{"zstd", "zstd\n", 600, 4096}),
    [](const testing::TestParamInfo<Case>& info) {
      std::string name = info.param.workload;
      std::erase(name, '-');
      return name;
    });

TEST_F(ProgramsWorker, EffortSetsHowMuchIsDone) {
  const ProcessResult result = RunWorkload("start-true", "", "6");
  ASSERT_TRUE(result.ok()) << result.Describe();
  const WorkerLine line = WorkerLine::Parse(result.output);
  EXPECT_EQ(Number(line, "operations"), 60);
}

TEST_F(ProgramsWorker, IdleReportsWhatIsResident) {
  const ProcessResult result = RunWorkload("idle", "", "20");
  ASSERT_TRUE(result.ok()) << result.Describe();
  const WorkerLine line = WorkerLine::Parse(result.output);
  EXPECT_EQ(Number(line, "operations"), 2);
  EXPECT_EQ(Number(line, "resident_after_kib"), Number(line, "peak_rss_kib"));
  // It is not this process or the worker whose memory that is.
  EXPECT_LT(Number(line, "resident_after_kib"), 4096);
}

// Programs are looked up on PATH; here are none.
TEST_F(ProgramsWorker, MissingProgramIsOneLineAndStatusThree) {
  const std::string path = getenv("PATH");
  setenv("PATH", Temporary().c_str(), 1);
  const ProcessResult result = RunWorkload("sqlite", "");
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(result.ending, ProcessResult::kExited);
  EXPECT_EQ(result.code, kCannotRun);
  EXPECT_EQ(result.output, "");
  EXPECT_EQ(result.errors,
            "programs_worker: sqlite: sqlite3 is not installed\n");
}

class WithFakeProgram : public ProgramsWorker {
 protected:
  // Runs the workload with that script in the place of the program.
  ProcessResult RunWith(const std::string& workload, const std::string& program,
                        const std::string& script) {
    const std::string folder = TestFolder() + "/fake";
    std::filesystem::create_directories(folder);
    const std::string file = folder + "/" + program;
    FILE* const out = fopen(file.c_str(), "w");
    fprintf(out, "#!/bin/sh\n%s\n", script.c_str());
    fclose(out);
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    const std::string path = getenv("PATH");
    setenv("PATH", (folder + ":" + path).c_str(), 1);
    ProcessResult result = RunWorkload(workload, "");
    setenv("PATH", path.c_str(), 1);
    std::filesystem::remove_all(folder);
    return result;
  }
};

TEST_F(WithFakeProgram, CrashIsOneLineAndStatusOne) {
  const ProcessResult result =
      RunWith("sqlite", "sqlite3", "echo oh dear >&2; kill -SEGV $$");
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.output, "");
  EXPECT_EQ(result.errors,
            "programs_worker: sqlite3: killed by signal 11 "
            "(Segmentation fault): oh dear\n");
  EXPECT_TRUE(BecomesEmpty(Temporary()));
}

TEST_F(WithFakeProgram, FailureIsOneLineAndStatusOne) {
  const ProcessResult result = RunWith("redis", "redis-server", "exit 5");
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.errors, "programs_worker: redis-server: exit status 5\n");
  EXPECT_TRUE(BecomesEmpty(Temporary()));
}

// By itself Debian's redis-server runs on jemalloc.
TEST_F(WithFakeProgram, WithoutPreloadProgramsRunOnLibcsMalloc) {
  const ProcessResult result =
      RunWith("redis", "redis-server", "echo on $LD_PRELOAD >&2; exit 1");
  EXPECT_EQ(result.errors,
            "programs_worker: redis-server: exit status 1: on libc.so.6\n");
}

TEST_F(WithFakeProgram, WrongResultIsOneLineAndStatusOne) {
  for (const auto& [workload, program] :
       {std::pair{"sqlite", "sqlite3"}, std::pair{"lua", "lua5.4"},
        std::pair{"zstd", "zstd"}, std::pair{"gxx", "g++"},
        std::pair{"ghostscript", "gs"}, std::pair{"git-gc", "git"}}) {
    const ProcessResult result = RunWith(workload, program, "echo 5");
    // git is asked for things before it is measured.
    EXPECT_EQ(result.code, 1) << workload << ": " << result.Describe();
    EXPECT_EQ(result.output, "") << workload;
    EXPECT_EQ(result.errors.find('\n'), result.errors.size() - 1) << workload;
    EXPECT_TRUE(BecomesEmpty(Temporary())) << workload;
  }
}

TEST_F(WithFakeProgram, NothingIsLeftOfAKilledWorker) {
  const std::string seen = TestFolder() + "/started";
  std::filesystem::remove(seen);
  const pid_t killer = fork();
  if (killer == 0) {
    // The fake program tells the worker's process id.
    std::string worker;
    while ((worker = ReadFile(seen)).find('\n') == std::string::npos) {
      usleep(1000);
    }
    _exit(kill(static_cast<pid_t>(std::stol(worker)), SIGKILL));
  }
  const ProcessResult result =
      RunWith("sqlite", "sqlite3", "echo $PPID >" + seen + "; exec sleep 600");
  int status = 0;
  waitpid(killer, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(result.ending, ProcessResult::kSignaled);
  EXPECT_TRUE(BecomesEmpty(Temporary()));
}

TEST_F(ProgramsWorker, NoRoomForFilesIsStatusThree) {
  setenv("TEST_TMPDIR", "/nowhere/at/all", 1);
  const ProcessResult result = RunWorkload("idle", "");
  EXPECT_EQ(result.code, kCannotRun);
  EXPECT_TRUE(Contains(result.errors, "/nowhere/at/all")) << result.errors;
}

TEST_F(ProgramsWorker, ProbeSaysWhoServes) {
  ExpectProbeSaysWhoServes(Worker());
}

TEST_F(ProgramsWorker, BadArgumentsAreOneLineAndStatusTwo) {
  ExpectBadArgumentsAreRefused(Worker());
}

}  // namespace
}  // namespace hakmem::bench
