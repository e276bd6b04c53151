#include "backend/slabs/block_start.h"

#include "gtest/gtest.h"

namespace hakmem {
namespace {

TEST(BlockStartTest, IsRightForEveryOffsetOfEveryClass) {
  constexpr uintptr_t kSlab = uintptr_t{0x7f1234560000};
  for (size_t i = 1; i < kClassCount; ++i) {
    const SizeClass c{static_cast<uint8_t>(i)};
    for (size_t offset = 0; offset < kSlabBytes; ++offset) {
      ASSERT_EQ(IsBlockStart(c, kSlab + offset, kReciprocals),
                offset % ClassBytes(c) == 0)
          << "class " << i << ", offset " << offset;
    }
  }
}

}  // namespace
}  // namespace hakmem
