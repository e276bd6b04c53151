#include "tools/subprocess/subprocess.h"

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace hakmem::tools {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

Command Shell(const std::string& line) {
  return {.arguments = {"sh", "-c", line}};
}

std::string Temporary(const std::string& name) {
  return testing::TempDir() + "/" + name;
}

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

size_t OpenDescriptors() {
  DIR* const folder = opendir("/proc/self/fd");
  size_t count = 0;
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

bool Exists(pid_t pid) { return kill(pid, 0) == 0; }

// Also until init has taken note of an orphan's end.
bool EndsSoon(pid_t pid) {
  for (int i = 0; i < 500 && Exists(pid); ++i) {
    const std::string status =
        Contents("/proc/" + std::to_string(pid) + "/stat");
    if (status.find(") Z") != std::string::npos) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return !Exists(pid);
}

TEST(SubprocessTest, ArgumentsArriveAsTheyAre) {
  const ProcessResult result = RunProcess(
      {.arguments = {"printf", "%s|", "a b", "$HOME", "'\"", "", "*"}});
  EXPECT_TRUE(result.ok()) << result.Describe();
  EXPECT_EQ(result.output, "a b|$HOME|'\"||*|");
  EXPECT_EQ(result.errors, "");
}

TEST(SubprocessTest, TheProgramMayHaveAnotherName) {
  const ProcessResult result =
      RunProcess({.arguments = {"another", "-c", "echo $0"}, .program = "sh"});
  EXPECT_EQ(result.output, "another\n");
}

TEST(SubprocessTest, ExitStatusAndSignalAreTold) {
  const ProcessResult seven = RunProcess(Shell("exit 7"));
  EXPECT_EQ(seven.ending, ProcessResult::kExited);
  EXPECT_EQ(seven.code, 7);
  EXPECT_EQ(seven.ShellStatus(), 7);
  EXPECT_FALSE(seven.ok());
  EXPECT_EQ(seven.Describe(), "exit status 7");
  const ProcessResult killed = RunProcess(Shell("kill -TERM $$"));
  EXPECT_EQ(killed.ending, ProcessResult::kSignaled);
  EXPECT_EQ(killed.code, SIGTERM);
  EXPECT_EQ(killed.ShellStatus(), 128 + SIGTERM);
  EXPECT_EQ(killed.Describe(), "killed by signal 15 (Terminated)");
}

TEST(SubprocessTest, VariablesAreAddedReplacedAndRemoved) {
  setenv("SUBPROCESS_KEPT", "kept", 1);
  setenv("SUBPROCESS_REPLACED", "old", 1);
  setenv("SUBPROCESS_REMOVED", "old", 1);
  Command command = Shell("env | grep ^SUBPROCESS_ | sort");
  command.variables = {"SUBPROCESS_REPLACED=first", "SUBPROCESS_ADDED=a=b",
                       "SUBPROCESS_REPLACED=new", "SUBPROCESS_REMOVED"};
  EXPECT_EQ(RunProcess(command).output,
            "SUBPROCESS_ADDED=a=b\nSUBPROCESS_KEPT=kept\n"
            "SUBPROCESS_REPLACED=new\n");
  const ProcessResult only = RunProcess({.arguments = {"env"},
                                         .variables = {"A=1", "B=2"},
                                         .inherit_environment = false});
  EXPECT_EQ(only.output, "A=1\nB=2\n");
}

TEST(SubprocessTest, RunsInItsWorkingFolder) {
  const ProcessResult result =
      RunProcess({.arguments = {"pwd", "-P"}, .working_folder = "/usr"});
  EXPECT_EQ(result.output, "/usr\n");
}

TEST(SubprocessTest, InputComesFromNothingATextOrAFile) {
  EXPECT_EQ(RunProcess({.arguments = {"cat"}}).output, "");
  EXPECT_EQ(
      RunProcess({.arguments = {"cat"}, .input = Stream::Text("a\nb")}).output,
      "a\nb");
  // More than pipes hold, both ways.
  const std::string much(3'000'000, 'x');
  EXPECT_EQ(
      RunProcess({.arguments = {"cat"}, .input = Stream::Text(much)}).output,
      much);
  const std::string file = Temporary("input");
  Write(file, "from a file");
  EXPECT_EQ(
      RunProcess({.arguments = {"cat"}, .input = Stream::File(file)}).output,
      "from a file");
}

TEST(SubprocessTest, OutputAndErrorsGoApartOrTogether) {
  Command command = Shell("echo out; echo err >&2; echo out again");
  const ProcessResult apart = RunProcess(command);
  EXPECT_EQ(apart.output, "out\nout again\n");
  EXPECT_EQ(apart.errors, "err\n");
  command.errors = Stream::SameAsOutput();
  const ProcessResult together = RunProcess(command);
  EXPECT_EQ(together.output, "out\nerr\nout again\n");
  EXPECT_EQ(together.errors, "");
  command.errors = Stream::Null();
  EXPECT_EQ(RunProcess(command).errors, "");
}

TEST(SubprocessTest, OutputGoesToFiles) {
  const std::string file = Temporary("output");
  Write(file, "what was there before");
  Command command = Shell("echo out; echo err >&2");
  command.output = Stream::File(file);
  command.errors = Stream::SameAsOutput();
  EXPECT_EQ(RunProcess(command).output, "");
  EXPECT_EQ(Contents(file), "out\nerr\n");
  command.output = Stream::Append(file);
  EXPECT_TRUE(RunProcess(command).ok());
  EXPECT_EQ(Contents(file), "out\nerr\nout\nerr\n");
}

TEST(SubprocessTest, InheritedStreamsAreThisProcesss) {
  // In a child, whose streams are captured.
  Subprocess child({}, [] {
    Command command = Shell("cat; echo err >&2");
    command.input = command.output = command.errors = Stream::Inherit();
    if (!RunProcess(command).ok()) _exit(1);
  });
  EXPECT_EQ(child.Wait().errors, "err\n");
  EXPECT_TRUE(child.result().ok());
}

TEST(SubprocessTest, CapturesNoMoreThanIsWanted) {
  Command command = Shell("yes | head -c 1000000; echo all written >&2");
  command.most_captured = 1000;
  const ProcessResult result = RunProcess(command);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.output.size(), 1000u);
  EXPECT_EQ(result.errors, "all written\n");
}

TEST(SubprocessTest, AProgramThatCannotBeStartedIsOneLine) {
  const ProcessResult absent = RunProcess({.arguments = {"no-such-program"}});
  EXPECT_EQ(absent.ending, ProcessResult::kNotStarted);
  EXPECT_EQ(absent.code, ENOENT);
  EXPECT_EQ(absent.ShellStatus(), 127);
  EXPECT_EQ(absent.Describe(),
            "cannot run no-such-program: No such file or directory");
  const ProcessResult file = RunProcess({.arguments = {"/etc/passwd"}});
  EXPECT_EQ(file.ShellStatus(), 126);
  EXPECT_EQ(file.Describe(), "cannot run /etc/passwd: Permission denied");
  EXPECT_EQ(RunProcess({.arguments = {"/etc"}}).code, EACCES);
  EXPECT_EQ(RunProcess({.arguments = {}}).code, ENOENT);
  EXPECT_EQ(RunProcess({.arguments = {""}}).code, ENOENT);
}

TEST(SubprocessTest, WhatElseCannotBeHadIsOneLine) {
  Command command = {.arguments = {"true"}};
  command.working_folder = "/absent";
  EXPECT_EQ(RunProcess(command).Describe(),
            "cannot enter /absent: No such file or directory");
  command = {.arguments = {"true"}, .input = Stream::File("/absent/input")};
  EXPECT_EQ(RunProcess(command).Describe(),
            "cannot open /absent/input: No such file or directory");
  command = {.arguments = {"true"}, .output = Stream::File("/etc")};
  EXPECT_EQ(RunProcess(command).Describe(), "cannot open /etc: Is a directory");
  command = {.arguments = {"true"}, .limits = {{RLIMIT_AS, {2, 1}}}};
  EXPECT_EQ(RunProcess(command).Describe(),
            "cannot set a limit: Invalid argument");
  command = {.arguments = {"true"}, .cpus = {CPU_SETSIZE - 1}};
  EXPECT_EQ(RunProcess(command).Describe(),
            "cannot choose the CPUs: Invalid argument");
}

TEST(SubprocessTest, ProgramsAreFoundInPath) {
  EXPECT_THAT(FindProgram("sh"), testing::EndsWith("/sh"));
  EXPECT_EQ(FindProgram("/usr/bin/../bin/x"), "/usr/bin/../bin/x");
  EXPECT_EQ(FindProgram("no-such-program"), "");
  EXPECT_EQ(FindProgram(""), "");
}

TEST(SubprocessTest, AScriptWithoutAnInterpreterLineIsRunByTheShell) {
  const std::string script = Temporary("script");
  Write(script, "echo \"$1\"\n");
  ASSERT_EQ(chmod(script.c_str(), 0700), 0);
  EXPECT_EQ(RunProcess({.arguments = {script, "a b"}}).output, "a b\n");
}

TEST(SubprocessTest, ATimeLimitKillsTheWholeGroup) {
  Command command = Shell("sleep 100 & echo $!; sleep 100");
  command.time_limit = milliseconds(300);
  const auto start = steady_clock::now();
  const ProcessResult result = RunProcess(command);
  EXPECT_LT(steady_clock::now() - start, seconds(50));
  EXPECT_EQ(result.ending, ProcessResult::kTimedOut);
  EXPECT_EQ(result.Describe(), "took too long");
  const pid_t background = std::stoi(result.output);
  EXPECT_TRUE(EndsSoon(background));
}

TEST(SubprocessTest, ATimeLimitCountsForWhoKeepsAStreamOpen) {
  // The process ends at once; another one, in a group of its own, does not.
  Command command = Shell("setsid sleep 20 & echo done");
  command.time_limit = milliseconds(300);
  const auto start = steady_clock::now();
  const ProcessResult result = RunProcess(command);
  EXPECT_LT(steady_clock::now() - start, seconds(10));
  EXPECT_EQ(result.ending, ProcessResult::kTimedOut);
  EXPECT_EQ(result.output, "done\n");
}

TEST(SubprocessTest, NothingToReadEndsNoWait) {
  // Closed streams: the end is noticed by the process alone.
  const ProcessResult result =
      RunProcess(Shell("exec >&- 2>&-; sleep 0.2; exit 4"));
  EXPECT_EQ(result.code, 4);
  EXPECT_GE(result.wall_time, milliseconds(200));
  Command silent = Shell("exit 4");
  silent.output = silent.errors = Stream::Null();
  EXPECT_EQ(RunProcess(silent).code, 4);
}

TEST(SubprocessTest, WhoIsStillRunningIsKilledAtTheEnd) {
  pid_t pid;
  {
    Subprocess process({.arguments = {"sleep", "100"}});
    pid = process.pid();
    EXPECT_TRUE(process.Running());
    EXPECT_TRUE(Exists(pid));
  }
  EXPECT_FALSE(Exists(pid));
}

TEST(SubprocessTest, SignalsReachTheProcess) {
  Command command = Shell(
      "trap 'exit 5' TERM; echo ready; while :; do "
      "sleep 0.01; done");
  Subprocess process(command);
  Subprocess* const one = &process;
  while (process.result().output.empty()) Subprocess::WaitForAny({&one, 1});
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait().code, 5);
  process.Signal(SIGTERM);  // of no consequence
  Subprocess other({.arguments = {"sleep", "100"}});
  other.Kill();
  EXPECT_EQ(other.Wait().ending, ProcessResult::kSignaled);
  EXPECT_EQ(other.result().code, SIGKILL);
}

TEST(SubprocessTest, SeveralRunAtOnce) {
  std::vector<std::unique_ptr<Subprocess>> processes;
  std::vector<Subprocess*> running;
  // Each waits for the next one's file: none may be alone.
  const std::string folder = Temporary("at_once");
  RunProcess({.arguments = {"rm", "-rf", folder}});
  ASSERT_EQ(mkdir(folder.c_str(), 0700), 0);
  for (int i = 0; i < 4; ++i) {
    Command command =
        Shell("touch " + std::to_string(i) + "; while [ ! -e " +
              std::to_string((i + 1) % 4) +
              " ]; do sleep 0.01; done; seq 100000; exit " + std::to_string(i));
    command.working_folder = folder;
    command.time_limit = seconds(50);
    processes.push_back(std::make_unique<Subprocess>(command));
    running.push_back(processes.back().get());
  }
  while (!running.empty()) {
    Subprocess::WaitForAny(running);
    std::erase_if(running, [](Subprocess* p) { return !p->Running(); });
  }
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(processes[i]->result().code, i);
    EXPECT_EQ(processes[i]->result().output.size(), 588'895u);
  }
  Subprocess::WaitForAny({});  // returns
}

TEST(SubprocessTest, WaitingEndsWhenADescriptorIsReadable) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  Subprocess process({.arguments = {"sleep", "100"}});
  Subprocess* const one = &process;
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  Subprocess::WaitForAny({&one, 1}, ends[0]);
  EXPECT_TRUE(process.Running());
  process.KillAt(steady_clock::now() + milliseconds(50));
  EXPECT_EQ(process.Wait().ending, ProcessResult::kTimedOut);
  close(ends[0]);
  close(ends[1]);
}

TEST(SubprocessTest, TellsWhatWasUsed) {
  const ProcessResult big =
      RunProcess({.arguments = {"dd", "if=/dev/zero", "of=/dev/null", "bs=64M",
                                "count=1"}});
  EXPECT_GE(big.peak_resident_bytes, uint64_t{64} << 20);
  EXPECT_GE(big.minor_faults, 1u);
  const ProcessResult small = RunProcess({.arguments = {"true"}});
  EXPECT_GT(small.peak_resident_bytes, 0u);
  EXPECT_LT(small.peak_resident_bytes, uint64_t{32} << 20);
  const ProcessResult busy =
      RunProcess(Shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"));
  EXPECT_GT(busy.user_time.count(), 1'000'000);
  EXPECT_GE(busy.wall_time, busy.user_time);
}

TEST(SubprocessTest, LimitsHold) {
  Command command = Shell("ulimit -v; ulimit -c");
  command.limits = {{RLIMIT_AS, {1 << 30, 1 << 30}}, {RLIMIT_CORE, {0, 0}}};
  EXPECT_EQ(RunProcess(command).output, "1048576\n0\n");
}

TEST(SubprocessTest, RunsOnTheGivenCpus) {
  cpu_set_t here;
  ASSERT_EQ(sched_getaffinity(0, sizeof(here), &here), 0);
  int last = -1;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &here)) last = cpu;
  }
  const ProcessResult result =
      RunProcess({.arguments = {"grep", "Cpus_allowed_list",
                                "/proc/self/"
                                "status"},
                  .cpus = {last}});
  EXPECT_EQ(result.output,
            "Cpus_allowed_list:\t" + std::to_string(last) + "\n");
}

TEST(SubprocessTest, AChildHasNoDescriptorsOfOurs) {
  const size_t before = OpenDescriptors();
  Subprocess other({.arguments = {"sleep", "100"}});
  // 3 is the folder that ls reads.
  const ProcessResult result = RunProcess(Shell("exec ls /proc/self/fd"));
  EXPECT_EQ(result.output, "0\n1\n2\n3\n");
  other.Kill();
  other.Wait();
  EXPECT_EQ(OpenDescriptors(), before);
  RunProcess({.arguments = {"no-such-program"}});
  RunProcess({.arguments = {"/etc/passwd"}});
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST(SubprocessTest, WorksWhereTheStandardStreamsAreClosed) {
  Subprocess child({}, [] {
    for (int closed = 0; closed <= 2; ++closed) close(closed);
    Command command = Shell("cat; echo err >&2");
    command.input = Stream::Text("in");
    const ProcessResult result = RunProcess(command);
    if (result.output != "in" || result.errors != "err\n") _exit(1);
    command.output = Stream::Null();
    if (RunProcess(command).errors != "err\n") _exit(2);
  });
  EXPECT_EQ(child.Wait().code, 0);
}

TEST(SubprocessTest, AForkedFunctionIsAChildLikeAnother) {
  Command command;
  command.limits = {{RLIMIT_CORE, {0, 0}}};
  Subprocess failing(command, [] {
    (void)!write(STDERR_FILENO, "from the child\n", 15);
    _exit(3);
  });
  EXPECT_EQ(failing.Wait().code, 3);
  EXPECT_EQ(failing.result().errors, "from the child\n");
  Subprocess aborting(command, [] { abort(); });
  EXPECT_EQ(aborting.Wait().code, SIGABRT);
  command.time_limit = milliseconds(100);
  Subprocess late(command, [] {
    for (;;) pause();
  });
  EXPECT_EQ(late.Wait().ending, ProcessResult::kTimedOut);
}

TEST(SubprocessTest, ADyingParentTakesItsChildrenAlong) {
  Subprocess parent({}, [] {
    Subprocess child({.arguments = {"sleep", "100"},
                      .output = Stream::Null(),
                      .errors = Stream::Null()});
    dprintf(STDOUT_FILENO, "%d\n", static_cast<int>(child.pid()));
    kill(getpid(), SIGKILL);
  });
  EXPECT_EQ(parent.Wait().code, SIGKILL);
  EXPECT_TRUE(EndsSoon(std::stoi(parent.result().output)));
}

TEST(SubprocessTest, ManyThreadsStartProcesses) {
  const size_t before = OpenDescriptors();
  std::vector<std::thread> threads;
  std::vector<std::string> outputs(8);
  for (size_t i = 0; i < outputs.size(); ++i) {
    threads.emplace_back([&outputs, i] {
      for (int round = 0; round < 20; ++round) {
        const std::string number = std::to_string(i);
        // Holds malloc's locks now and then while others fork.
        const std::vector<std::string> churn(1000, std::string(100, 'x'));
        const ProcessResult result = RunProcess(
            {.arguments = {"printf", "%s", number}, .time_limit = seconds(50)});
        outputs[i] += result.output == number ? "." : result.Describe();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& output : outputs) {
    EXPECT_EQ(output, "....................");
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST(SubprocessTest, AnIgnoredSigchldLosesTheStatusAndNothingElse) {
  Subprocess child({}, [] {
    signal(SIGCHLD, SIG_IGN);
    const ProcessResult lost = RunProcess(Shell("echo out; exit 3"));
    if (lost.ending != ProcessResult::kUnknown || lost.output != "out\n") {
      _exit(1);
    }
    const HeldSignals signals{SIGTERM};
    if (RunProcess(Shell("exit 3")).code != 3) _exit(2);
  });
  EXPECT_EQ(child.Wait().code, 0);
}

TEST(HeldSignalsTest, SignalsAreTakenAndChildrenGetTheFormerState) {
  Subprocess child({}, [] {
    signal(SIGCHLD, SIG_IGN);
    Command command = {
        .arguments = {"grep", "-E", "SigBlk|SigIgn", "/proc/self/status"}};
    const std::string former = RunProcess(command).output;
    {
      HeldSignals signals{SIGTERM, SIGUSR1};
      if (signals.Take()) _exit(1);
      kill(getpid(), SIGTERM);
      const auto taken = signals.Take();
      if (!taken || taken->ssi_signo != SIGTERM || signals.Take()) _exit(2);
      if (RunProcess(command).output == former) _exit(3);
      command.signals = &signals.former();
      if (RunProcess(command).output != former) _exit(4);
      kill(getpid(), SIGUSR1);
    }
    // The one that nobody took has ended nothing.
  });
  EXPECT_EQ(child.Wait().code, 0);
}

TEST(InterruptTest, IsRequestedFromTheFirstSignalOn) {
  Subprocess child({}, [] {
    Interrupt interrupt;
    if (interrupt.Requested()) _exit(1);
    kill(getpid(), SIGINT);
    if (!interrupt.Requested() || !interrupt.Requested()) _exit(2);
  });
  EXPECT_EQ(child.Wait().code, 0);
}

}  // namespace
}  // namespace hakmem::tools
