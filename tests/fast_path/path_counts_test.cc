// How fast_path.h counts paths and golden.h prints them, on synthetic code.
#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fast_path/fast_path.h"
#include "tests/fast_path/golden.h"
#include "tests/fast_path/measured_functions.h"

namespace hakmem::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr char kCode[] = R"(
0000000000001000 <first>:
    1000:	push   %rbx
    1001:	mov    (%rdi),%rax
    1004:	je     1020 <first+0x20>
    1006:	lock incl (%rdi)
    1009:	call   2000 <second>
    100e:	add    %rax,(%rdi)
    1011:	pop    %rbx
    1012:	ret

0000000000002000 <second>:
    2000:	rep stos %al,%es:(%rdi)
    2002:	call   *0x100(%rip)        # 2108 <memset>
    2008:	ret
)";

constexpr uint64_t kElsewhere = 0x7fff00000000;

TEST(Describe, CountsEachInstructionThatRan) {
  const FastPath path =
      Describe(Disassembly(kCode), {0x1000, 0x1001, 0x1004, 0x1011, 0x1012});
  EXPECT_EQ(path.counts.instructions, 5);
  EXPECT_EQ(path.counts.branches, 1);
  EXPECT_EQ(path.counts.loads, 1);
  EXPECT_EQ(path.counts.stores, 0);
  EXPECT_EQ(path.counts.atomics, 0);
  EXPECT_EQ(path.counts.pushes_and_pops, 2);
  EXPECT_EQ(path.counts.calls, 0);
  EXPECT_EQ(path.counts.outside, 0);
  EXPECT_THAT(path.lines, ElementsAre("push mov(load) je", "pop ret"));
}

TEST(Describe, FollowsCallsAndLeavesOutWhatRunsOutside) {
  // Each iteration of a rep is one step.
  const FastPath path = Describe(
      Disassembly(kCode),
      {0x1006, 0x1009, 0x2000, 0x2000, 0x2000, 0x2002, kElsewhere,
       kElsewhere + 4, kElsewhere + 8, 0x2008, 0x100e, 0x1011, 0x1012});
  EXPECT_EQ(path.counts.instructions, 8);
  EXPECT_EQ(path.counts.loads, 3);
  EXPECT_EQ(path.counts.stores, 3);
  EXPECT_EQ(path.counts.atomics, 1);
  EXPECT_EQ(path.counts.calls, 2);
  EXPECT_EQ(path.counts.outside, 1);
  EXPECT_THAT(path.lines,
              ElementsAre("lock incl(load+store) call", "[second]",
                          "rep stos(store) call(load)", "[outside]", "ret",
                          "[first]", "add(load+store) pop ret"));
  ASSERT_EQ(path.hops.size(), 2u);
  EXPECT_EQ(path.hops[0].function, "first");
  EXPECT_EQ(path.hops[0].entries, 2);
  EXPECT_EQ(path.hops[0].instructions, 5);
  EXPECT_EQ(path.hops[1].function, "second");
  EXPECT_EQ(path.hops[1].entries, 1);
  EXPECT_EQ(path.hops[1].instructions, 3);
}

TEST(Settle, TakesTheShortestPathThatCameThreeTimes) {
  const TracedCall short_one{kMalloc, {1, 2}};
  const TracedCall usual{kMalloc, {1, 2, 3}};
  const TracedCall longer{kMalloc, {1, 2, 9, 3}};
  const TracedCall other{kFree, {1}};
  const auto steps = Settle({other, longer, short_one, usual, longer, other,
                             longer, usual, short_one, longer, usual, other},
                            kMalloc);
  ASSERT_TRUE(steps.ok()) << steps.status();
  EXPECT_THAT(*steps, ElementsAre(1, 2, 3));
}

TEST(Settle, RefusesPathsThatDoNotAgree) {
  const TracedCall one{kMalloc, {1, 2}};
  const TracedCall another{kMalloc, {1, 3}};
  const TracedCall other{kFree, {1, 2}};
  EXPECT_EQ(Settle({one, another, one, another}, kMalloc).status().code(),
            absl::StatusCode::kInternal);
  EXPECT_FALSE(Settle({one, one, other}, kMalloc).ok());
  EXPECT_FALSE(Settle({}, kMalloc).ok());
}

TEST(GoldenText, HasARowAndAListingPerFunction) {
  FastPath path;
  path.counts = {11, 2, 3, 1, 4, 5, 6, 7};
  path.lines = {"cmp ja", "ret"};
  const std::string text = GoldenText("gcc 12", {{"segment", {path, path}}});
  EXPECT_EQ(CompilerOf(text), "gcc 12");
  EXPECT_THAT(text,
              HasSubstr("\nsegment    malloc                  11         2"
                        "      3       1       4         5      6        "
                        "7\n"));
  EXPECT_THAT(text, HasSubstr("\nsegment free\n    cmp ja\n    ret\n"));
}

TEST(GoldenText, HasARowAndTheHopsOfAMiss) {
  std::vector<FastPath> paths(kMeasuredHitCount + 1);
  paths.back().counts.instructions = 321;
  paths.back().hops = {{"malloc", 1, 21}, {"Refill()", 2, 300}};
  paths.back().lines = {"not listed"};
  const std::string text = GoldenText("gcc 12", {{"segment", paths}});
  EXPECT_THAT(text, HasSubstr("\nsegment    malloc 48              321 "));
  EXPECT_THAT(text, HasSubstr("\nsegment malloc 48\n"
                              "       21 in   1  malloc\n"
                              "      300 in   2  Refill()\n"));
  EXPECT_THAT(text, Not(HasSubstr("not listed")));
}

TEST(GoldenText, CompilerIsFoundOnlyWhereItIsSaid) {
  EXPECT_EQ(CompilerOf(""), "");
  EXPECT_EQ(CompilerOf("# compiler: gcc 11\n"), "");
}

}  // namespace
}  // namespace hakmem::bench
