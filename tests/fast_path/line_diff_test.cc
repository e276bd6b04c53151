#include "tests/fast_path/line_diff.h"

#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

TEST(LineDiff, SameTextsDoNotDiffer) {
  EXPECT_EQ(LineDiff("", ""), "");
  EXPECT_EQ(LineDiff("a\nb\n", "a\nb\n"), "");
}

TEST(LineDiff, MarksWhatIsInOneTextOnly) {
  EXPECT_EQ(LineDiff("a\nold\nb", "a\nnew\nb"), " a\n-old\n+new\n b\n");
  EXPECT_EQ(LineDiff("a\nb", "a\nx\nb"), " a\n+x\n b\n");
  EXPECT_EQ(LineDiff("a\nx\nb", "a\nb"), " a\n-x\n b\n");
}

TEST(LineDiff, LeavesOutWhatIsFarFromChanges) {
  EXPECT_EQ(LineDiff("1\n2\n3\n4\n5\nx\n6\n7\n8\n9\n10",
                     "1\n2\n3\n4\n5\ny\n6\n7\n8\n9\n10"),
            "...\n 3\n 4\n 5\n-x\n+y\n 6\n 7\n 8\n...\n");
}

TEST(LineDiff, AMissingNewlineAtTheEndShows) {
  EXPECT_NE(LineDiff("a\n", "a"), "");
}

}  // namespace
}  // namespace hakmem::bench
