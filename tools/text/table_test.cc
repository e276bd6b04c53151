#include "tools/text/table.h"

#include <gtest/gtest.h>

namespace hakmem::tools {
namespace {

TEST(TableTest, TheFirstColumnIsAlignedLeftAndTheOthersRight) {
  Table table({"name", "n", "bytes"});
  table.AddRow({"a", "1", "12345"});
  table.AddRow({"longer", "22", "-"});
  table.AddRow({"short"});
  EXPECT_EQ(table.Render(),
            "name     n  bytes\n"
            "------  --  -----\n"
            "a        1  12345\n"
            "longer  22      -\n"
            "short\n");
}

TEST(TableTest, ColumnsAreAlignedAsTheyAreTold) {
  Table table({"n", "name", "why"},
              {Table::Align::kRight, Table::Align::kLeft});
  table.AddRow({"10", "a", "it is so"});
  table.AddRow({"1", "bcdef", ""});
  EXPECT_EQ(table.Render(),
            " n  name   why\n"
            "--  -----  ---\n"
            "10  a      it is so\n"
            " 1  bcdef\n");
}

TEST(TableTest, WidthsAreCountedInCharacters) {
  Table table({"µ", "x"});
  table.AddRow({"µs", "é"});
  EXPECT_EQ(table.Render(), "µ   x\n--  -\nµs  é\n");
  EXPECT_EQ(DisplayWidth("10 µs"), 5u);
  EXPECT_EQ(PadLeft("µ", 3), "  µ");
  EXPECT_EQ(PadRight("µ", 3), "µ  ");
  EXPECT_EQ(PadRight("long", 3), "long");
}

TEST(TableTest, CellsOfNumbers) {
  EXPECT_EQ(Cell(1.25, 1), "1.2");
  EXPECT_EQ(Cell(2, 0), "2");
  EXPECT_EQ(Cell(std::nullopt, 2), "-");
}

}  // namespace
}  // namespace hakmem::tools
