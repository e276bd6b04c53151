#include "backend/slabs/block_start.h"

#include <memory>

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

TEST(BlockNumbersTest, AreThoseOfTheSlab) {
  for (size_t i = 1; i < kClassCount; ++i) {
    const SizeClass c{static_cast<uint8_t>(i)};
    auto slab = std::make_unique<Slab>();
    slab->base = uintptr_t{0x7f1234560000};
    slab->Begin(c);
    const BlockNumbers numbers(c);
    for (uintptr_t address = slab->base; address < slab->base + kSlabBytes;
         ++address) {
      const uint32_t block = slab->BlockAt(address);
      ASSERT_EQ(numbers.StartsAt(address), block != Slab::kNotABlock)
          << "class " << i << ", address " << address;
      if (block != Slab::kNotABlock) {
        ASSERT_EQ(numbers.Around(address), block);
      }
    }
  }
}

}  // namespace
}  // namespace hakmem
