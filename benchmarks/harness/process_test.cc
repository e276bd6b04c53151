#include "benchmarks/harness/process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

ProcessResult RunShell(const std::string& script, Interrupt& interrupt,
                       seconds limit = seconds(60),
                       const std::string& preload = "") {
  return RunProcess({"/bin/sh", "-c", script}, preload, limit, interrupt);
}

TEST(RunProcess, CollectsBothStreamsAndTheStatus) {
  Interrupt interrupt;
  const ProcessResult result =
      RunShell("echo out; echo err >&2; echo more >&2; exit 3", interrupt);
  EXPECT_EQ(result.ending, ProcessResult::kExited);
  EXPECT_EQ(result.code, 3);
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.errors, "err\nmore\n");
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.Describe(), "exit status 3: err");
}

TEST(RunProcess, TakesOutputThatFillsPipes) {
  Interrupt interrupt;
  const ProcessResult result = RunShell(
      "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2", interrupt);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.output.size(), 300'000u);
  EXPECT_EQ(result.errors.size(), 300'000u);
}

TEST(RunProcess, SetsOrUnsetsThePreload) {
  Interrupt interrupt;
  setenv("LD_PRELOAD", "", 1);
  EXPECT_EQ(RunShell("echo ${LD_PRELOAD-unset}", interrupt).output, "unset\n");
  // The loader complains about a file that is not there, and goes on.
  EXPECT_EQ(
      RunShell("echo $LD_PRELOAD", interrupt, seconds(60), "/nowhere/x.so")
          .output,
      "/nowhere/x.so\n");
  unsetenv("LD_PRELOAD");
}

TEST(RunProcess, ReportsASignal) {
  Interrupt interrupt;
  const ProcessResult result = RunShell("kill -SEGV $$", interrupt);
  EXPECT_EQ(result.ending, ProcessResult::kSignaled);
  EXPECT_EQ(result.code, SIGSEGV);
}

TEST(RunProcess, ReportsAProgramThatIsNotThere) {
  Interrupt interrupt;
  const ProcessResult result =
      RunProcess({"/nowhere/program"}, "", seconds(60), interrupt);
  EXPECT_FALSE(result.ok());
  EXPECT_NE(result.Describe().find("No such file"), std::string::npos);
}

TEST(RunProcess, GivesUpAfterTheLimit) {
  Interrupt interrupt;
  const auto start = steady_clock::now();
  const ProcessResult result = RunShell("exec sleep 60", interrupt, seconds(1));
  EXPECT_EQ(result.ending, ProcessResult::kTimedOut);
  EXPECT_LT(steady_clock::now() - start, seconds(30));
}

TEST(RunProcess, AnInterruptEndsTheChildAndStartsNoOther) {
  Interrupt interrupt;
  const auto start = steady_clock::now();
  std::thread user([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    kill(getpid(), SIGINT);
  });
  const ProcessResult result = RunShell("echo $$; exec sleep 60", interrupt);
  user.join();
  EXPECT_TRUE(result.interrupted);
  EXPECT_LT(steady_clock::now() - start, seconds(30));
  EXPECT_TRUE(interrupt.Requested());
  EXPECT_EQ(kill(std::stoi(result.output), 0), -1);
  EXPECT_EQ(errno, ESRCH);
  EXPECT_TRUE(RunShell("echo x", interrupt).interrupted);
}

TEST(Interrupt, ChildrenTakeSignalsAsUsual) {
  Interrupt interrupt;
  const ProcessResult result =
      RunShell("kill -TERM $$; echo survived", interrupt);
  EXPECT_EQ(result.ending, ProcessResult::kSignaled);
  EXPECT_EQ(result.code, SIGTERM);
}

TEST(RunProcess, SetsVariablesOfTheChildAlone) {
  Interrupt interrupt;
  const ProcessResult result = RunProcess(
      {"/bin/sh", "-c", "echo $HAKMEM_TEST, ${HOME-none}"}, "", seconds(20),
      interrupt, {"HAKMEM_TEST=a=b", "HOME=/elsewhere"});
  EXPECT_EQ(result.output, "a=b, /elsewhere\n");
  EXPECT_EQ(getenv("HAKMEM_TEST"), nullptr);
}

TEST(RunProcess, KillsWhatAProgramThatHangsHasStarted) {
  Interrupt interrupt;
  const ProcessResult result =
      RunProcess({"/bin/sh", "-c", "sleep 1000 & echo $!; wait"}, "",
                 std::chrono::milliseconds(500), interrupt);
  EXPECT_EQ(result.ending, ProcessResult::kTimedOut);
  const std::string grandchild = std::to_string(std::stoi(result.output));
  // It dies at once; whoever adopts it may take a moment to notice.
  std::string state;
  for (int i = 0; i < 500; ++i) {
    std::ifstream file("/proc/" + grandchild + "/stat");
    std::string ignored;
    state = "gone";
    file >> ignored >> ignored >> state;
    if (state == "gone" || state == "Z") break;
    usleep(10'000);
  }
  EXPECT_TRUE(state == "gone" || state == "Z") << state;
}

}  // namespace
}  // namespace hakmem::bench
