// hakmem.h compiles without a warning by each standard, of C and C++, and says
// the same by all: the helpers are compiled once for each (header_tests.bzl).
#include <gtest/gtest.h>

#include <set>

#include "hakmem/header_test_helper.h"

#define HAKMEM_STANDARDS(F) \
  F(c89)                    \
  F(c99)                    \
  F(c11) F(c17) F(c2x) F(cxx98) F(cxx11) F(cxx14) F(cxx17) F(cxx20) F(cxx2b)

#define HAKMEM_DECLARE(standard) \
  extern "C" HeaderLayout HeaderLayout_##standard();
HAKMEM_STANDARDS(HAKMEM_DECLARE)
#undef HAKMEM_DECLARE

namespace {

#define HAKMEM_CALL(standard) HeaderLayout_##standard(),
const HeaderLayout kLayouts[] = {HAKMEM_STANDARDS(HAKMEM_CALL)};
#undef HAKMEM_CALL

TEST(HeaderTest, EachStandardIsAnother) {
  std::set<long> standards;
  for (const HeaderLayout& layout : kLayouts) standards.insert(layout.standard);
  EXPECT_EQ(standards.size(), std::size(kLayouts));
  EXPECT_EQ(standards.count(0), 1u);  // C89
  EXPECT_EQ(standards.count(199711), 1u);
}

TEST(HeaderTest, StructsAreTheSameByAllStandards) {
  for (const HeaderLayout& layout : kLayouts) {
    SCOPED_TRACE(layout.standard);
    EXPECT_EQ(layout.option, sizeof(hakmem_option_t));
    EXPECT_EQ(layout.stats, sizeof(hakmem_stats_t));
    EXPECT_EQ(layout.failure, sizeof(hakmem_failure_t));
    EXPECT_EQ(layout.event, sizeof(hakmem_event_t));
    EXPECT_EQ(layout.event_counts, sizeof(hakmem_event_counts_t));
    EXPECT_EQ(layout.failure_cause, sizeof(int));
  }
}

}  // namespace
