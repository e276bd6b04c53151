#include "base/size_classes.h"

#include <gtest/gtest.h>

namespace hakmem {
namespace {

SizeClass ClassNumber(size_t c) { return SizeClass{static_cast<uint8_t>(c)}; }

TEST(SizeClasses, EverySizeGetsTheSmallestClassThatHoldsIt) {
  for (size_t bytes = 0; bytes <= kMaxTinyBytes; ++bytes) {
    const SizeClass c = ClassOf(bytes);
    ASSERT_NE(c, SizeClass::kNone) << bytes;
    ASSERT_GE(ClassBytes(c), bytes);
    ASSERT_LT(ClassBytes(ClassNumber(Index(c) - 1)),
              std::max<size_t>(bytes, 1));
  }
}

TEST(SizeClasses, ClassesAscendAndKeepEveryBlockAligned) {
  for (size_t c = 1; c < kClassCount; ++c) {
    ASSERT_GT(ClassBytes(ClassNumber(c)), ClassBytes(ClassNumber(c - 1)));
    ASSERT_EQ(ClassBytes(ClassNumber(c)) % kBlockAlignment, 0u);
  }
}

TEST(SizeClasses, WasteAbove128BytesIsBelowAnEighth) {
  for (size_t bytes = 129; bytes <= kMaxTinyBytes; ++bytes) {
    const size_t waste = ClassBytes(ClassOf(bytes)) - bytes;
    ASSERT_LT(waste * 8, bytes) << bytes;
  }
}

TEST(SizeClasses, NoClassHoldsNothing) {
  EXPECT_EQ(ClassBytes(SizeClass::kNone), 0u);
}

TEST(SizeClasses, AlignedClassIsTheSmallestWhoseBlocksAreAllAligned) {
  for (size_t alignment = 16; alignment <= 4096; alignment *= 2) {
    for (size_t bytes = 0; bytes <= kMaxTinyBytes + 1; ++bytes) {
      const SizeClass c = AlignedClassOf(bytes, alignment);
      size_t expected = 0;
      for (size_t k = kClassCount - 1; k > 0; --k) {
        const size_t size = ClassBytes(ClassNumber(k));
        if (size >= bytes && size % alignment == 0) expected = k;
      }
      ASSERT_EQ(Index(c), expected) << bytes << " aligned " << alignment;
    }
  }
}

}  // namespace
}  // namespace hakmem
