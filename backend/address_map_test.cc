#include "backend/address_map.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

namespace hakmem {
namespace {

TEST(AddressMap, KnowsNothingOfAddressesNeverEntered) {
  std::mt19937_64 random(1);
  EXPECT_EQ(AddressMap::ClassAt(0), SizeClass::kNone);
  EXPECT_EQ(AddressMap::ChunkAt(0), nullptr);
  for (int i = 0; i < 100'000; ++i) {
    // Any 64 bits at all: a program may pass anything to free.
    const uintptr_t address = random();
    ASSERT_EQ(AddressMap::ChunkAt(address), nullptr);
    ASSERT_EQ(AddressMap::ClassAt(address), SizeClass::kNone);
    const uintptr_t no_window = AddressMap::kNoWindow;
    if (AddressMap::IsInWindow(no_window, address)) {
      ASSERT_EQ(AddressMap::ClassInWindow(no_window, address),
                SizeClass::kNone);
    }
    const uintptr_t user = address >> (64 - AddressMap::kAddressBits);
    ASSERT_EQ(AddressMap::ClassAt(user), SizeClass::kNone);
  }
}

TEST(AddressMap, AnswersForEveryAddressOfAChunkAndNoOther) {
  Chunk chunk;
  // The last chunk of one leaf and the first of the next.
  for (const uintptr_t base :
       {(uintptr_t{5} << AddressMap::kLeafShift) - kChunkBytes,
        uintptr_t{5} << AddressMap::kLeafShift}) {
    ASSERT_TRUE(AddressMap::SetChunk(base, &chunk));
    const uintptr_t slab = base + 3 * (uintptr_t{1} << 16);
    AddressMap::SetClass(slab, SizeClass{7});
    for (uintptr_t a = base; a < base + kChunkBytes; a += 997) {
      ASSERT_EQ(AddressMap::ChunkAt(a), &chunk);
      ASSERT_EQ(AddressMap::ClassAt(a), a >= slab && a < slab + 65536
                                            ? SizeClass{7}
                                            : SizeClass::kNone);
    }
    EXPECT_EQ(AddressMap::ChunkAt(base - 1), nullptr);
    EXPECT_EQ(AddressMap::ChunkAt(base + kChunkBytes), nullptr);
    // The same low bits beyond user space.
    EXPECT_EQ(AddressMap::ChunkAt(base | uintptr_t{1} << 63), nullptr);
    AddressMap::SetClass(slab, SizeClass::kNone);
    ASSERT_TRUE(AddressMap::SetChunk(base, nullptr));
    EXPECT_EQ(AddressMap::ChunkAt(base), nullptr);
  }
}

}  // namespace
}  // namespace hakmem
