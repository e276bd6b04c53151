// From the library's lines to what a person reads.

#include "tools/hakmem/hakmem_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <vector>

namespace hakmem::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(HakmemSummary, FiguresAreReadByName) {
  const auto processes = ParseFigures(
      "nonsense\n"
      "{\"pid\":12,\"program\":\"ls\",\"peak_resident_bytes\":4096,"
      "\"backend\":\"segment\",\"live_bytes\":1,\"cached_bytes\":2,"
      "\"committed_bytes\":3,\"slab_live_bytes\":99,"
      "\"failures_threshold\":4,\"failures_exhaustion\":5,"
      "\"failures_mapfail\":6}\n"
      "{\"pid\":13}\n"
      "{\"pid\":14,\"torn");
  ASSERT_EQ(processes.size(), 2u);
  EXPECT_EQ(processes[0].pid, 12u);
  EXPECT_EQ(processes[0].program, "ls");
  EXPECT_EQ(processes[0].peak_resident, 4096u);
  EXPECT_EQ(processes[0].live, 1u);
  EXPECT_EQ(processes[0].cached, 2u);
  EXPECT_EQ(processes[0].committed, 3u);
  EXPECT_EQ(processes[0].failures, 15u);
  EXPECT_EQ(processes[1].pid, 13u);
}

TEST(HakmemSummary, AProcessThatOnlyBeganHasNoFigures) {
  const auto processes = ParseFigures(
      "{\"pid\":12,\"program\":\"sh\",\"begins\":true}\n"
      "{\"pid\":13,\"program\":\"sh\",\"begins\":true}\n"
      "{\"pid\":13,\"program\":\"ls\",\"begins\":true}\n"
      "{\"pid\":14,\"program\":\"ps\",\"begins\":true}\n"
      "{\"pid\":13,\"program\":\"ls\",\"live_bytes\":1}\n");
  ASSERT_EQ(processes.size(), 3u);
  EXPECT_FALSE(processes[0].has_figures);
  EXPECT_EQ(processes[1].program, "ps");
  EXPECT_FALSE(processes[1].has_figures);
  EXPECT_EQ(processes[2].program, "ls");
  EXPECT_TRUE(processes[2].has_figures);
}

TEST(HakmemSummary, FailuresOfOneReasonAreCountedNewestLast) {
  const FailureList list = ParseFailures(
      R"({"kind":"failure","pid":9,"dropped":0,"sequence":1,"text":"of 1: a"}
{"kind":"frame","pid":9,"sequence":1,"frame":0,"address":"0xdead"}
{"kind":"failure","pid":9,"dropped":0,"sequence":2,"text":"of 2: b"}
failure 3, thread 10: a line of text
{"kind":"failure","pid":10,"dropped":7,"sequence":1,"text":"of 1: a"}
{"kind":"frame","pid":9,"sequence":2,"frame":0,"address":"0x12","module":"/a","module_offset":"0x2"}
{"kind":"frame","pid":10,"sequence":1,"frame":0,"address":"0x34"}
{"kind":"frame","pid":10,"sequence":1,"frame":1,"address":"0x56","module":"/b c","module_offset":"0x6","name":"_ZN1m4WorkERKi","name_offset":"0x5"}
{"kind":"dropped","pid":10,"dropped":3}
{"kind":"failure","pid":9,"dropped":0,"sequ)");
  ASSERT_EQ(list.kinds.size(), 2u);
  EXPECT_EQ(list.kinds[0].text, "of 2: b");
  EXPECT_EQ(list.kinds[0].count, 1u);
  EXPECT_THAT(list.kinds[0].stack, ElementsAre("#0 0x12 /a+0x2"));
  EXPECT_EQ(list.kinds[1].text, "of 1: a");
  EXPECT_EQ(list.kinds[1].count, 2u);
  EXPECT_THAT(
      list.kinds[1].stack,
      ElementsAre("#0 0x34", "#1 0x56 /b c+0x6 m::Work(int const&)+0x5"));
  EXPECT_EQ(list.dropped, 10u);
}

TEST(HakmemSummary, FieldsOfAnotherTypeAreTakenForAbsent) {
  const FailureList list = ParseFailures(
      "[1]\n7\n{\"kind\":3}\n"
      R"({"kind":"failure","pid":"x","dropped":-4,"text":5})");
  ASSERT_EQ(list.kinds.size(), 1u);
  EXPECT_EQ(list.kinds[0].text, "");
  EXPECT_EQ(list.dropped, 0u);
  EXPECT_EQ(ParseFigures("{\"pid\":[],\"program\":{}}")[0].program, "");
}

TEST(HakmemSummary, NothingIsSaidWhenThereIsNothingToSay) {
  CommandRun run;
  run.command = "ls";
  run.ending.ending = ProcessResult::kExited;
  run.ending.code = 1;
  EXPECT_EQ(Summarize(run, false), "");
  run.ending.ending = ProcessResult::kSignaled;
  run.ending.code = SIGKILL;
  EXPECT_THAT(Summarize(run, false), HasSubstr("ls was ended by signal 9"));
}

TEST(HakmemSummary, LongListsAreCut) {
  CommandRun run;
  run.processes.resize(30);
  for (int i = 0; i < 50; ++i) {
    run.failures.kinds.push_back({"reason " + std::to_string(i) + ".", 1, {}});
  }
  const std::string text = Summarize(run, true);
  EXPECT_THAT(text, HasSubstr("and 20 more processes"));
  EXPECT_THAT(text, HasSubstr("30 older reasons left out"));
  EXPECT_THAT(text, HasSubstr("reason 49."));
  EXPECT_THAT(text, testing::Not(HasSubstr("reason 29.")));
}

// The stack of one failure with a frame for each of `names`.
std::vector<std::string> StackOf(const std::vector<std::string>& names) {
  std::string lines = R"({"kind":"failure","pid":1,"sequence":1,"text":"x"})";
  for (const std::string& name : names) {
    lines += "\n{\"kind\":\"frame\",\"pid\":1,\"sequence\":1,\"frame\":0,";
    lines += "\"address\":\"0x5\",\"module\":\"/_Zed\",";
    lines += "\"module_offset\":\"0x1\",\"name\":\"" + name + "\",";
    lines += "\"name_offset\":\"0x27\"}";
  }
  return ParseFailures(lines).kinds.at(0).stack;
}

TEST(HakmemSummaryTest, NamesInStacksAreDemangled) {
  EXPECT_THAT(
      StackOf({"_ZN6module4WorkERKi.part.0", "_ZN6module4WorkERKi", "main",
               "_Zed"}),
      ElementsAre(
          "#0 0x5 /_Zed+0x1 module::Work(int const&) [clone .part.0]+0x27",
          "#0 0x5 /_Zed+0x1 module::Work(int const&)+0x27",
          "#0 0x5 /_Zed+0x1 main+0x27", "#0 0x5 /_Zed+0x1 _Zed+0x27"));
}

TEST(HakmemSummaryTest, StacksAreShown) {
  CommandRun run;
  run.failures.kinds.push_back({"reason", 1, {"#0 here", "#1 there"}});
  EXPECT_THAT(Summarize(run, false),
              HasSubstr("1 x reason\nhakmem:       #0 here\nhakmem:       #1 "
                        "there\n"));
}

}  // namespace
}  // namespace hakmem::tools
