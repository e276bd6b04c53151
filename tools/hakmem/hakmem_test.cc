// `hakmem` as a whole, by the command line.
//
// The build gives the paths of the tool and of its helpers, from the folder the
// test starts in:
//   HAKMEM_TEST_TOOL (with all libraries), HAKMEM_TEST_PROGRAM,
//   HAKMEM_TEST_STATIC_PROGRAM

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tools/subprocess/shell_test_helper.h"

namespace hakmem_test {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

// Runs a line of shell, in which $tool, $program and $static stand for what is
// tested and its helpers.
Result Shell(const std::string& line) {
  return RunShell(
      "tool=$PWD/$HAKMEM_TEST_TOOL;"
      "program=$PWD/$HAKMEM_TEST_PROGRAM;"
      "static=$PWD/$HAKMEM_TEST_STATIC_PROGRAM;",
      line);
}

TEST(HakmemTest, ASuccessfulCommandIsAloneToSpeak) {
  const Result result = Shell("$tool -- sh -c 'echo out; echo err >&2'");
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
}

TEST(HakmemTest, TheExitStatusIsKept) {
  EXPECT_EQ(Shell("$tool -- sh -c 'exit 0'").status, 0);
  const Result seven = Shell("$tool -- sh -c 'exit 7'");
  EXPECT_EQ(seven.status, 7);
  EXPECT_EQ(seven.err, "");
}

TEST(HakmemTest, ASignalThatEndsTheCommandIsToldAndKept) {
  const Result killed = Shell("$tool -- sh -c 'kill -KILL $$'");
  EXPECT_EQ(killed.status, 128 + 9);
  EXPECT_THAT(killed.err, HasSubstr("was ended by signal 9 (Killed)"));
  const Result fault = Shell("$tool -- sh -c 'ulimit -c 0; kill -SEGV $$'");
  EXPECT_EQ(fault.status, 128 + 11);
  EXPECT_THAT(fault.err, HasSubstr("signal 11 (Segmentation fault)"));
}

TEST(HakmemTest, StandardInputReachesTheCommand) {
  const Result result = Shell("printf 'one\\ntwo\\n' | $tool -- cat");
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.out, "one\ntwo\n");
}

TEST(HakmemTest, TheCommandRunsWhereTheUserIs) {
  const Result result =
      Shell("BUILD_WORKING_DIRECTORY=/usr/bin $tool -- pwd; $tool -- pwd");
  EXPECT_THAT(result.out, MatchesRegex("/usr/bin\n/[^\n]*\n"));
  EXPECT_THAT(result.out, Not(HasSubstr("/usr/bin\n/usr/bin\n")));
}

TEST(HakmemTest, TheCommandRunsWhereBazelwWasCalled) {
  const Result result = Shell(
      "BAZELW_CALLED_IN=/usr/lib BUILD_WORKING_DIRECTORY=/usr/bin $tool -- "
      "pwd");
  EXPECT_EQ(result.out, "/usr/lib\n");
}

TEST(HakmemTest, ACommandThatGoesOnAsAnotherUserHasTheLibrary) {
  const std::string other = "setpriv --reuid=65534 --clear-groups ";
  if (Shell(other + "true").status != 0) {
    GTEST_SKIP() << "this cannot become another user here";
  }
  // TMPDIR of a test may be a folder of this user's.
  const Result result = Shell("TMPDIR=/tmp $tool --stats -- " + other +
                              "grep -c libhakmem /proc/self/maps");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, MatchesRegex("[1-9][0-9]*\n"));
  EXPECT_THAT(result.err, Not(HasSubstr("LD_PRELOAD")));
  // It could write its figures.
  EXPECT_THAT(result.err, ContainsRegex(" grep +[0-9.]+ [KM]iB +[0-9]"));
}

TEST(HakmemTest, ProcessesThatLeaveNoFiguresAreInTheSummary) {
  const Result killed = Shell("$tool --stats -- sh -c 'kill -KILL $$'");
  // The kernel knows the peak of the command itself.
  EXPECT_THAT(killed.err, ContainsRegex(" sh +[0-9.]+ [KM]iB +- +- +- +-\n"));
  EXPECT_THAT(killed.err, HasSubstr("-: it ended by _exit or a signal"));
  const Result child = Shell("$tool --stats -- timeout -s KILL 0.1 sleep 9");
  EXPECT_THAT(child.err, ContainsRegex(" sleep +- +- +- +- +-\n"));
}

TEST(HakmemTest, SignalsSentToTheToolReachTheCommand) {
  const Result result = Shell("ready=" + Temporary("ready") +
                              "; rm -f $ready;"
                              "$tool -- sh -c \"trap 'exit 5' TERM; : >$ready;"
                              "  while :; do sleep 0.05; done\" & tool_pid=$!;"
                              "while [ ! -e $ready ]; do sleep 0.05; done;"
                              "kill -TERM $tool_pid; wait $tool_pid");
  EXPECT_EQ(result.status, 5);
}

TEST(HakmemTest, OtherPreloadedLibrariesStay) {
  const Result result = Shell(
      "LD_PRELOAD=libdl.so.2 $tool --backend=superslab --ace=fixed --"
      " sh -c 'echo $LD_PRELOAD'");
  EXPECT_THAT(result.out,
              MatchesRegex("/[^:]*/libhakmem-superslab-ace_fixed.so:"
                           "libdl.so.2\n"));
}

// "VALUE VERSION (BACK-END, ace VARIANT)", as the helper prints it.
std::string OptionSeen(const std::string& flags, const std::string& option) {
  return Shell("$tool " + flags + " -- $program option " + option).out;
}

TEST(HakmemTest, FlagsReachTheLibrary) {
  EXPECT_THAT(OptionSeen("", "decay"),
              MatchesRegex("300 .*\\(segment, ace adaptive, .*\\)\n"));
  EXPECT_THAT(OptionSeen("--backend superslab --option decay=2s", "decay"),
              MatchesRegex("2000 .*\\(superslab, ace adaptive, .*\\)\n"));
  EXPECT_THAT(OptionSeen("--ace=fixed --ace-limit-mb=77", "ace_limit_mb"),
              MatchesRegex("77 .*\\(segment, ace fixed, .*\\)\n"));
  EXPECT_THAT(OptionSeen("--ace off --option=HAKMEM_BIN_BYTES=4K", "bin_bytes"),
              MatchesRegex("4096 .*\\(segment, ace off, .*\\)\n"));
  EXPECT_THAT(OptionSeen("--hardening=checks", "decay"),
              MatchesRegex("300 .*, hardening checks, .*\n"));
  EXPECT_THAT(OptionSeen("--backend=superslab --hardening=full", "decay"),
              MatchesRegex("300 .*\\(superslab, .*, hardening full, .*\n"));
  EXPECT_THAT(OptionSeen("--stack", "ace_trace_stack"),
              testing::StartsWith("1 "));
}

TEST(HakmemTest, ALibraryThatIsNotBuiltIsNamedWithTheTargetThatBuildsIt) {
  // A copy with the two usual libraries beside it. (The folder of the built
  // program may still have those of an earlier build.)
  const std::string start =
      "unset RUNFILES_DIR; alone=" + Temporary("alone") +
      "; usual=$alone/hakmem; data=$usual.runfiles/main; mkdir -p $data;"
      "cp -f $tool $usual; ln -sf $PWD/libhakmem-segment.so"
      " $PWD/libhakmem-superslab.so $data; cd $alone; $usual ";
  const Result result = Shell(start + "--ace=fixed -- echo out");
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err,
            "hakmem: --ace=fixed: that library is not built with this program; "
            "//tools:hakmem_all is the same with all of them\n");
  // The others are found.
  EXPECT_EQ(Shell(start + "-- echo out").out, "out\n");
  EXPECT_EQ(Shell(start + "--backend=superslab -- echo out").out, "out\n");
}

TEST(HakmemTest, TheLimitsOldNameSaysWhatItBounds) {
  EXPECT_THAT(OptionSeen("--limit-mb=77", "ace_limit_mb"),
              testing::StartsWith("77 "));
  const Result result = Shell("$tool --limit-mb=77 -- sh -c 'exit 5'");
  EXPECT_EQ(result.status, 5);
  EXPECT_THAT(result.err,
              MatchesRegex("hakmem: --limit-mb, now called --ace-limit-mb, "
                           "bounds what ACE holds: [^\n]+\n"));
}

TEST(HakmemTest, StatisticsHaveALineForEachProcess) {
  const Result result =
      Shell("$tool --stats -- bash -c '$0 option decay; exit 3' $program");
  EXPECT_EQ(result.status, 3);
  EXPECT_THAT(result.err, HasSubstr("exited with status 3 after "));
  EXPECT_THAT(result.err, ContainsRegex("hakmem: +[1-9][0-9]* +bash +[1-9]"));
  EXPECT_THAT(result.err,
              ContainsRegex("hakmem: +[1-9][0-9]* +hakmem_test_helper +"
                            "[0-9.]+ MiB +[0-9.]+ [KM]iB +[0-9.]+ [KM]iB +"
                            "[0-9.]+ [KM]iB +0\n"));
  EXPECT_THAT(result.err, Not(HasSubstr("refused;")));
}

TEST(HakmemTest, RefusedRequestsAreToldOncePerReason) {
  const Result result = Shell("$tool -- $program refuse 3");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err,
              HasSubstr("hakmem: 3 requests were refused; each reason once"));
  EXPECT_THAT(result.err, ContainsRegex("hakmem:   3 x malloc of 1 PiB: "
                                        "MapFail in large, address_space, "));
  EXPECT_THAT(result.err, HasSubstr("ask for less"));
}

TEST(HakmemTest, MoreRefusedRequestsThanAreNotedAreCounted) {
  const Result result = Shell("$tool -- $program refuse 1000");
  EXPECT_THAT(result.err, HasSubstr("hakmem: 1000 requests were refused"));
  EXPECT_THAT(result.err, ContainsRegex("hakmem:   [0-9]+ more, of which"));
}

TEST(HakmemTest, ATraceFileIsAppendedTo) {
  const std::string trace = Temporary("trace");
  const Result result =
      Shell("echo before >" + trace + "; $tool --trace=" + trace +
            " -- $program refuse 1");
  EXPECT_THAT(Contents(trace), AllOf(testing::StartsWith("before\n"),
                                     HasSubstr("malloc of 1 PiB")));
  EXPECT_THAT(result.err, HasSubstr("hakmem: 1 request was refused"));
}

// The child's own lines and its status stay as they are, whatever --trace says.
void ExpectOneLineOf(const std::string& trace, const std::string& line) {
  SCOPED_TRACE(trace);
  const std::string folder = Temporary("one_line");
  const Result result =
      Shell("rm -rf " + folder + "; mkdir " + folder + "; TMPDIR=" + folder +
            " $tool --trace=" + trace +
            " -- sh -c 'echo out; echo err >&2; exit 7'; status=$?; rmdir " +
            folder + " || exit 99; exit $status");
  EXPECT_EQ(result.status, 7);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_THAT(result.err, MatchesRegex(line + "err\n"));
}

TEST(HakmemTest, ATraceFileHasLinesOfJsonUnlessTextIsAskedFor) {
  const std::string trace = Temporary("trace_json");
  Shell("rm -f " + trace + "; $tool --trace=" + trace +
        " -- $program refuse 1");
  EXPECT_THAT(Contents(trace),
              MatchesRegex(".\"kind\":\"failure\",[^\n]*\"entry\":\"malloc\""
                           "[^\n]*malloc of 1 PiB[^\n]*.\n"));
  const std::string text = Temporary("trace_text");
  const Result result =
      Shell("rm -f " + text +
            "; $tool --option ace_trace_format=text --trace=" + text +
            " -- $program refuse 1");
  EXPECT_THAT(Contents(text), MatchesRegex("hakmem.[0-9]+.: failure [^\n]+\n"));
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.err, "");
  // The tool's own copy has the format that it reads.
  EXPECT_THAT(
      Shell("$tool --option ace_trace_format=text -- $program refuse 1").err,
      HasSubstr("hakmem: 1 request was refused"));
}

TEST(HakmemTest, ATraceThatCannotBeWrittenIsOneLine) {
  const std::string folder = Temporary("no_trace");
  Shell("rm -rf " + folder + "; mkdir " + folder);
  ExpectOneLineOf("/", "hakmem: --trace=/: Is a directory; [^\n]+\n");
  ExpectOneLineOf(folder, "hakmem: --trace=[^\n]+: Is a directory; [^\n]+\n");
  ExpectOneLineOf(folder + "/absent/trace",
                  "hakmem: --trace=[^\n]+: No such file or directory; "
                  "[^\n]+\n");
  ExpectOneLineOf("/etc/passwd/trace",
                  "hakmem: --trace=/etc/passwd/trace: Not a directory; "
                  "[^\n]+\n");
  // What was refused is told of all the same.
  const Result result = Shell("$tool --trace=/ -- $program refuse 3");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err, HasSubstr("hakmem: 3 requests were refused"));
}

TEST(HakmemTest, ATraceMayGoToWhatIsNoRegularFile) {
  const std::string pipe = Temporary("pipe");
  Shell("rm -f " + pipe + "; mkfifo " + pipe);
  ExpectOneLineOf("/dev/full", "");
  ExpectOneLineOf("/dev/null", "");
  ExpectOneLineOf(pipe, "");
  const Result full = Shell("$tool --trace=/dev/full -- $program refuse 1");
  EXPECT_EQ(full.status, 0);
  const Result read = Shell("(cat " + pipe + " & exec 3>" + pipe + "; $tool" +
                            " --trace=" + pipe + " -- $program refuse 1)");
  EXPECT_EQ(read.status, 0);
  EXPECT_THAT(read.out, HasSubstr("malloc of 1 PiB"));
}

TEST(HakmemTest, ATraceIsRelativeToWhereTheUserIs) {
  const std::string folder = Temporary("relative");
  const Result result = Shell("rm -rf " + folder + "; mkdir " + folder +
                              "; BUILD_WORKING_DIRECTORY=" + folder +
                              " $tool --trace=here -- $program refuse 1");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(Contents(folder + "/here"), HasSubstr("malloc of 1 PiB"));
  EXPECT_THAT(result.err, HasSubstr("hakmem: 1 request was refused"));
}

TEST(HakmemTest, TemporaryFoldersThatCannotBeUsedAreDoneWithout) {
  for (const char* const folder : {"/absent", "/proc", "/etc/passwd", "''"}) {
    const Result result =
        Shell(std::string("TMPDIR=") + folder + " $tool -- $program refuse 1");
    EXPECT_EQ(result.status, 0) << folder;
    EXPECT_THAT(result.err, HasSubstr("hakmem: 1 request was refused"))
        << folder;
  }
  const std::string folder = Temporary("parent");
  const Result relative =
      Shell("rm -rf " + folder + "; mkdir -p " + folder + "/tmp; cd " + folder +
            "; TMPDIR=tmp $tool -- sh -c 'cd /; $0 refuse 1' $program;"
            " rmdir tmp");
  EXPECT_EQ(relative.status, 0);
  EXPECT_THAT(relative.err, HasSubstr("hakmem: 1 request was refused"));
}

TEST(HakmemTest, AFolderThatIsGoneIsToldOf) {
  const Result absent = Shell("BUILD_WORKING_DIRECTORY=/absent $tool -- ls");
  EXPECT_EQ(absent.status, 126);
  EXPECT_EQ(absent.err,
            "hakmem: cannot enter /absent: No such file or directory\n");
  const std::string folder = Temporary("gone");
  const Result gone = Shell("mkdir -p " + folder + "; cd " + folder +
                            "; rmdir " + folder + "; $tool -- true");
  EXPECT_EQ(gone.status, 0);
  EXPECT_EQ(gone.err, "");
}

TEST(HakmemTest, ClosedStreamsAreHarmless) {
  for (const char* const closed : {"<&-", ">&-", "2>&-", "<&- >&- 2>&-"}) {
    const Result result =
        Shell(std::string("$tool --stats -- sh -c 'exit 7' ") + closed);
    EXPECT_EQ(result.status, 7) << closed;
  }
  // Nobody reads the summary.
  const std::string folder = Temporary("unread");
  const Result unread =
      Shell("rm -rf " + folder + "; mkdir " + folder + "; (TMPDIR=" + folder +
            " $tool --stats -- sh -c 'sleep 0.2; exit 7'; echo $? >" + folder +
            ".status) 2>&1 >/dev/null | true; rmdir " + folder + " && cat " +
            folder + ".status");
  EXPECT_EQ(unread.out, "7\n");
}

TEST(HakmemTest, AnInterruptOfTheGroupLeavesNothingBehind) {
  const std::string folder = Temporary("interrupted");
  const Result result =
      Shell("rm -rf " + folder + "; mkdir " + folder + "; TMPDIR=" + folder +
            " setsid $tool -- sh -c 'kill -INT 0; sleep 10'; status=$?;"
            " rmdir " +
            folder + " && exit $status");
  EXPECT_EQ(result.status, 128 + 2);
  EXPECT_THAT(result.err, HasSubstr("signal 2 (Interrupt)"));
}

TEST(HakmemTest, ATraceWithoutAFileIsToldAsItHappens) {
  const Result result = Shell("$tool --trace -- $program refuse 1");
  EXPECT_THAT(result.err,
              ContainsRegex("hakmem.[0-9]+.: failure [0-9]+, thread "
                            "[0-9]+: malloc of 1 PiB"));
}

TEST(HakmemTest, AStaticProgramIsDistinguished) {
  EXPECT_EQ(Shell("$tool -- $static").err, "");
  const Result result = Shell("$tool --stats -- $static");
  EXPECT_EQ(result.status, 9);
  EXPECT_THAT(result.err,
              HasSubstr("hakmem: the command printed no statistics: it may be "
                        "statically linked, privileged, "));
}

TEST(HakmemTest, CommandsThatCannotBeRunAreOneLine) {
  const Result absent = Shell("$tool -- no-such-command");
  EXPECT_EQ(absent.status, 127);
  EXPECT_EQ(absent.err,
            "hakmem: cannot run no-such-command: No such file or directory\n");
  const Result folder = Shell("$tool -- /etc/passwd");
  EXPECT_EQ(folder.status, 126);
  EXPECT_EQ(folder.err, "hakmem: cannot run /etc/passwd: Permission denied\n");
}

TEST(HakmemTest, BadFlagsAreOneLine) {
  for (const char* const flags :
       {"", "--", "--frobnicate -- ls", "--backend=none -- ls",
        "--ace=none -- ls", "--stats=1 -- ls", "--ace-limit-mb=many -- ls",
        "--ace-limit-mb", "--limit-mb=many -- ls", "--option decay -- ls",
        "--option decay=long -- ls", "--option nonsense=1 -- ls",
        "--option ace_trace=1 -- ls", "--trace= -- ls"}) {
    const Result result = Shell(std::string("$tool ") + flags);
    EXPECT_EQ(result.status, 2) << flags;
    EXPECT_EQ(result.out, "") << flags;
    EXPECT_THAT(result.err, MatchesRegex("hakmem: [^\n]+\n")) << flags;
  }
}

TEST(HakmemTest, RunIsMeantWhereNoSubcommandIsNamed) {
  const std::string flags = "--backend superslab --stats -- $program option ";
  for (const char* const subcommand : {"", "run "}) {
    const Result result = Shell("$tool " + (subcommand + flags) + "decay");
    EXPECT_EQ(result.status, 0) << subcommand;
    EXPECT_THAT(result.out, HasSubstr("(superslab, ace adaptive, "));
    EXPECT_THAT(result.err, HasSubstr("peak resident"));
    EXPECT_EQ(Shell(std::string("$tool ") + subcommand).err,
              "hakmem: no command to run (--help tells more)\n");
  }
  // Behind "--" it is the program of that name.
  EXPECT_EQ(Shell("$tool -- run-no-such-thing").status, 127);
}

TEST(HakmemTest, TheCommandsArgumentsStayAsTheyAre) {
  for (const char* const dashes : {"", "-- "}) {
    const Result result =
        Shell(std::string("$tool --trace ") + dashes +
              "printf '%s|' '[a,b]' --stats=1 --help -- --x= run '' '{}'");
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, "[a,b]|--stats=1|--help|--|--x=|run||{}|");
  }
}

TEST(HakmemTest, HelpNamesEveryFlag) {
  EXPECT_THAT(Shell("$tool run --help").out, HasSubstr("Example: hakmem run "));
  const Result result = Shell("$tool --help");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(
      result.out,
      AllOf(HasSubstr("--backend="), HasSubstr("--ace="), HasSubstr("--stats"),
            HasSubstr("--trace[=FILE]"), HasSubstr("--stack"),
            HasSubstr("--ace-limit-mb="), HasSubstr("--option=NAME=VALUE")));
}

TEST(HakmemTest, NothingIsLeftBehind) {
  const std::string folder = Temporary("left");
  const Result result =
      Shell("rm -rf " + folder + "; mkdir " + folder + "; TMPDIR=" + folder +
            " $tool --stats -- ls " + folder + "; rmdir " + folder);
  EXPECT_EQ(result.status, 0);
  // While the command ran, the private folder was there.
  EXPECT_THAT(result.out, MatchesRegex("hakmem-......\n"));
}

}  // namespace
}  // namespace hakmem_test
