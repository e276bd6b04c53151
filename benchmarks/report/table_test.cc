#include "tools/text/table.h"

#include <stdlib.h>

#include "benchmarks/report/chart.h"
#include "benchmarks/report/format.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

using tools::Cell;
using tools::DisplayWidth;
using tools::PadLeft;
using tools::PadRight;
using tools::Table;

TEST(Table, AlignsColumns) {
  Table table({"", "M ops/s", "x"});
  table.AddRow({"glibc", "9.5", "1.00"});
  table.AddRow({"a", "120.0"});
  EXPECT_EQ(table.Render(),
            "       M ops/s     x\n"
            "-----  -------  ----\n"
            "glibc      9.5  1.00\n"
            "a        120.0\n");
}

TEST(Table, ACellAloneSpansItsRow) {
  Table table({"a", "b"});
  table.AddRow({"longer than its column"});
  table.AddRow({"x", "1"});
  EXPECT_EQ(table.Render(), "a  b\n-  -\nlonger than its column\nx  1\n");
}

TEST(Table, CountsCharactersNotBytes) {
  EXPECT_EQ(DisplayWidth("\xc3\xa9\xe2\x96\x88x"), 3u);
  EXPECT_EQ(PadRight("\xc3\xa9", 3), "\xc3\xa9  ");
  EXPECT_EQ(PadLeft("\xc3\xa9", 3), "  \xc3\xa9");
  EXPECT_EQ(PadLeft("long", 2), "long");
  // Colours take no room.
  EXPECT_EQ(DisplayWidth("\033[36mred\033[0m!"), 4u);
}

TEST(Cell, NothingIsADash) {
  EXPECT_EQ(Cell(std::nullopt, 2), "-");
  EXPECT_EQ(Cell(1.005, 1), "1.0");
  EXPECT_EQ(Cell(-0.25, 2), "-0.25");
}

TEST(Show, GivesEachUnitItsForm) {
  EXPECT_EQ(Show(std::nullopt, "ns"), "-");
  EXPECT_EQ(Show(6.844, "ns"), "6.84 ns");
  EXPECT_EQ(Show(2500, "ns"), "2.50 us");
  EXPECT_EQ(Show(3.25e6, "ns"), "3.25 ms");
  EXPECT_EQ(Show(512, "bytes"), "512 B");
  EXPECT_EQ(Show(1.5 * (1 << 20), "bytes"), "1.5 MiB");
  EXPECT_EQ(Show(-2048, "bytes"), "-2.0 KiB");
  EXPECT_EQ(Show(0.8849, "ratio"), "0.885");
  EXPECT_EQ(Show(146.23e6, "per_second"), "146.2 M/s");
  EXPECT_EQ(Show(8, "percent"), "8.0 %");
  EXPECT_EQ(Show(7, "count"), "7");
  EXPECT_EQ(Show(14.26, "count"), "14.3");
  EXPECT_EQ(Show(0.0012, "count"), "0.0012");
}

TEST(Bar, FillsInProportion) {
  EXPECT_EQ(Bar(10, 10, 4, false), "####");
  EXPECT_EQ(Bar(5, 10, 4, false), "##");
  EXPECT_EQ(Bar(5, 10, 4, true), "██");
  EXPECT_EQ(Bar(10, 10, 4, true), "████");
  EXPECT_EQ(Bar(9, 16, 2, true), "█▏");
}

TEST(Bar, StaysWithinItsWidth) {
  EXPECT_EQ(Bar(99, 10, 4, false), "####");
  EXPECT_EQ(Bar(-1, 10, 4, true), "");
  EXPECT_EQ(Bar(0, 0, 4, true), "");
}

TEST(TerminalShowsUtf8, FollowsTheLocale) {
  unsetenv("LC_ALL");
  unsetenv("LC_CTYPE");
  setenv("LANG", "C", 1);
  EXPECT_FALSE(TerminalShowsUtf8());
  setenv("LANG", "en_GB.UTF-8", 1);
  EXPECT_TRUE(TerminalShowsUtf8());
  setenv("LC_ALL", "POSIX", 1);
  EXPECT_FALSE(TerminalShowsUtf8());
  setenv("LC_ALL", "C.utf8", 1);
  EXPECT_TRUE(TerminalShowsUtf8());
}

}  // namespace
}  // namespace hakmem::bench
