// Blocks outside the pagemap that lie in the same chunk as a large block.
//
// A large block may be shorter than its chunk, and the kernel places mappings
// where there is room: the rest of the chunk may hold the guarded blocks, the
// emergency memory or the library itself with its small reserve. Where the
// kernel does so depends on its address space randomisation. So these tests
// enter a large block in the pagemap that begins in the chunk of their block.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>

#include "backend/errors/emergency.h"
#include "backend/memory/pagemap.h"
#include "backend/spans/small_reserve.h"
#include "frontend/dispatch/allocator.h"
#include "frontend/guard/guard.h"

namespace hakmem {
namespace {

constexpr size_t kBytes = 96;

uintptr_t AddressOf(const void* block) {
  return reinterpret_cast<uintptr_t>(block);
}

// A large block that begins in the chunk of `block`, for the pagemap.
class LargeNeighbour {
 public:
  explicit LargeNeighbour(const void* block) {
    chunk_.base = AddressOf(block) & ~(kChunkBytes - 1);
    chunk_.kind = ChunkKind::kLarge;
    EXPECT_EQ(Pagemap::ChunkAt(chunk_.base), nullptr);
    EXPECT_NE(AddressOf(block), chunk_.base);
    EXPECT_TRUE(Pagemap::SetChunk(chunk_.base, &chunk_));
  }
  ~LargeNeighbour() { Pagemap::SetChunk(chunk_.base, nullptr); }
  LargeNeighbour(const LargeNeighbour&) = delete;
  LargeNeighbour& operator=(const LargeNeighbour&) = delete;

 private:
  Chunk chunk_;
};

void Free(void* block) { FreeSlow(block, CallOf(HAKMEM_ENTRY_NONE)); }

void* Malloc(size_t bytes) {
  return AllocateSlow(bytes, CallOf(HAKMEM_ENTRY_MALLOC));
}

// Measures, moves and frees `block`, of kBytes.
void ExpectMovable(void* block) {
  EXPECT_EQ(UsableBytes(block), kBytes);
  memset(block, 7, kBytes);
  auto* moved = static_cast<char*>(
      Reallocate(block, 20 * kBytes, CallOf(HAKMEM_ENTRY_REALLOC)));
  ASSERT_NE(moved, nullptr);
  EXPECT_NE(moved, block);
  for (size_t i = 0; i < kBytes; ++i) ASSERT_EQ(moved[i], 7);
  Free(moved);
}

TEST(SharedChunk, ABlockOfTheSmallReserveIsKnown) {
  void* const block = SmallReserve::Allocate(kBytes, 0);
  ASSERT_NE(block, nullptr);
  const LargeNeighbour neighbour(block);
  ExpectMovable(block);
  EXPECT_EQ(SmallReserve::BytesAt(AddressOf(block)), 0u);
  ASSERT_EQ(SmallReserve::Allocate(kBytes, 0), block);
  Free(block);
  EXPECT_EQ(SmallReserve::BytesAt(AddressOf(block)), 0u);
}

TEST(SharedChunk, AGuardedBlockIsKnown) {
  void* const block = Malloc(kBytes);
  void* const other = Malloc(kBytes);
  ASSERT_TRUE(Guard::Owns(AddressOf(block)));
  ASSERT_TRUE(Guard::Owns(AddressOf(other)));
  {
    const LargeNeighbour neighbour(block);
    ExpectMovable(block);
  }
  const LargeNeighbour neighbour(other);
  Free(other);
}

TEST(SharedChunk, APieceOfEmergencyMemoryIsKnown) {
  std::thread([] {
    Emergency::Begin();
    void* const block = Emergency::Allocate(kBytes, 0);
    ASSERT_NE(block, nullptr);
    const LargeNeighbour neighbour(block);
    ExpectMovable(block);
  }).join();
}

}  // namespace
}  // namespace hakmem
