// From the library's lines to what a person reads.

#include "tools/hakmem/hakmem_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

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
      "hakmem: {\"pid\":13}\n"
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

TEST(HakmemSummary, FailuresOfOneReasonAreCountedNewestLast) {
  const FailureList list = ParseFailures(
      "failure 1, thread 10: malloc of 1 GiB: a\n"
      "#0 old\n"
      "hakmem[10]: failure 2, thread 10: malloc of 2 GiB: b\n"
      "hakmem[10]: (7 more were not printed) failure 10, thread 11: malloc of "
      "1 GiB: a\n"
      "#0 frame\n"
      "hakmem[10]:   #1 frame\n"
      "hakmem[10]: 3 more failures were not printed\n");
  ASSERT_EQ(list.kinds.size(), 2u);
  EXPECT_EQ(list.kinds[0].text, "malloc of 2 GiB: b");
  EXPECT_EQ(list.kinds[0].count, 1u);
  EXPECT_EQ(list.kinds[1].text, "malloc of 1 GiB: a");
  EXPECT_EQ(list.kinds[1].count, 2u);
  EXPECT_THAT(list.kinds[1].stack, ElementsAre("#0 frame", "#1 frame"));
  EXPECT_EQ(list.not_told, 10u);
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
  EXPECT_THAT(text, HasSubstr("and 20 processes that held less"));
  EXPECT_THAT(text, HasSubstr("30 older reasons left out"));
  EXPECT_THAT(text, HasSubstr("reason 49."));
  EXPECT_THAT(text, testing::Not(HasSubstr("reason 29.")));
}

TEST(HakmemSummaryTest, NamesInStacksAreDemangled) {
  CommandRun run;
  run.failures.kinds.push_back(
      {"malloc of 1 PiB: MapFail",
       1,
       {"#0 0x55d0 /usr/bin/a+0x11f7 _ZN6module4WorkERKi.part.0+0x27",
        "#1 0x55d0 /usr/bin/a+0x11f7 _ZN6module4WorkERKi+0x27",
        "#2 0x55d0 /usr/bin/_Zed+0x11f7 main+0x27", "#3 0x55d0 _Zed"}});
  const std::string text = Summarize(run, false);
  EXPECT_THAT(text, HasSubstr("a+0x11f7 module::Work(int const&) [clone "
                              ".part.0]+0x27\n"));
  EXPECT_THAT(text, HasSubstr("a+0x11f7 module::Work(int const&)+0x27\n"));
  EXPECT_THAT(text, HasSubstr("/usr/bin/_Zed+0x11f7 main+0x27\n"));
  EXPECT_THAT(text, HasSubstr("#3 0x55d0 _Zed\n"));
}

}  // namespace
}  // namespace hakmem::tools
