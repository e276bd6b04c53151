#include "backend/memory/found.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace hakmem {
namespace {

constexpr uintptr_t kBase = uintptr_t{5} << Pagemap::kLeafShift;

// A chunk of `kind` at kBase.
class Entered {
 public:
  explicit Entered(ChunkKind kind) {
    chunk_.base = kBase;
    chunk_.kind = kind;
    EXPECT_TRUE(Pagemap::SetChunk(kBase, &chunk_));
  }
  ~Entered() { Pagemap::SetChunk(kBase, nullptr); }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

  const Chunk* chunk() const { return &chunk_; }

 private:
  Chunk chunk_;
};

TEST(Found, NothingWhereNoChunkIs) {
  EXPECT_EQ(Found::At(kBase).kind(), FoundKind::kNone);
  EXPECT_EQ(Found::At(0).kind(), FoundKind::kNone);
  EXPECT_EQ(Found::At(UINTPTR_MAX).kind(), FoundKind::kNone);
}

TEST(Found, SlabsButNotWhatIsBetweenThem) {
  const Entered slabs(ChunkKind::kSlabs);
  const uintptr_t slab = kBase + 3 * (uintptr_t{1} << Pagemap::kGranuleShift);
  Pagemap::SetClass(slab, SizeClass{7});
  EXPECT_EQ(Found::At(slab + 100).kind(), FoundKind::kSlab);
  EXPECT_EQ(Found::At(slab + 100).size_class(), SizeClass{7});
  EXPECT_EQ(Found::At(slab - 1).kind(), FoundKind::kNone);
  Pagemap::SetClass(slab, SizeClass::kNone);
}

TEST(Found, SpansAnywhereInTheirChunk) {
  const Entered spans(ChunkKind::kPages);
  for (uintptr_t a = kBase; a < kBase + kChunkBytes; a += 4096) {
    ASSERT_EQ(Found::At(a).kind(), FoundKind::kSpan);
    ASSERT_EQ(Found::At(a).chunk(), spans.chunk());
  }
}

// The memory behind a block that is shorter than its chunk is not the block's.
TEST(Found, ALargeBlockAtItsStartOnly) {
  const Entered large(ChunkKind::kLarge);
  EXPECT_EQ(Found::At(kBase).kind(), FoundKind::kLarge);
  EXPECT_EQ(Found::At(kBase).chunk(), large.chunk());
  EXPECT_EQ(Found::At(kBase + 1).kind(), FoundKind::kNone);
  for (uintptr_t a = kBase + 4096; a <= kBase + kChunkBytes; a += 4096) {
    ASSERT_EQ(Found::At(a).kind(), FoundKind::kNone);
  }
  EXPECT_EQ(Found::At(kBase - 1).kind(), FoundKind::kNone);
}

}  // namespace
}  // namespace hakmem
