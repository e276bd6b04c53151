#include "backend/memory/pagemap_entry.h"

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

TEST(PagemapEntry, NothingWhereNoChunkIs) {
  EXPECT_EQ(PagemapEntry::At(kBase).kind(), PagemapEntryKind::kNone);
  EXPECT_EQ(PagemapEntry::At(0).kind(), PagemapEntryKind::kNone);
  EXPECT_EQ(PagemapEntry::At(UINTPTR_MAX).kind(), PagemapEntryKind::kNone);
}

TEST(PagemapEntry, SlabsButNotWhatIsBetweenThem) {
  const Entered slabs(ChunkKind::kSlabs);
  const uintptr_t slab = kBase + 3 * (uintptr_t{1} << Pagemap::kGranuleShift);
  Pagemap::SetClass(slab, SizeClass{7});
  EXPECT_EQ(PagemapEntry::At(slab + 100).kind(), PagemapEntryKind::kSlab);
  EXPECT_EQ(PagemapEntry::At(slab + 100).size_class(), SizeClass{7});
  EXPECT_EQ(PagemapEntry::At(slab - 1).kind(), PagemapEntryKind::kNone);
  Pagemap::SetClass(slab, SizeClass::kNone);
}

TEST(PagemapEntry, SpansAnywhereInTheirChunk) {
  const Entered spans(ChunkKind::kPages);
  for (uintptr_t a = kBase; a < kBase + kChunkBytes; a += 4096) {
    ASSERT_EQ(PagemapEntry::At(a).kind(), PagemapEntryKind::kSpan);
    ASSERT_EQ(PagemapEntry::At(a).chunk(), spans.chunk());
  }
}

// The memory behind a block that is shorter than its chunk is not the block's.
TEST(PagemapEntry, ALargeBlockAtItsStartOnly) {
  const Entered large(ChunkKind::kLarge);
  EXPECT_EQ(PagemapEntry::At(kBase).kind(), PagemapEntryKind::kLarge);
  EXPECT_EQ(PagemapEntry::At(kBase).chunk(), large.chunk());
  EXPECT_EQ(PagemapEntry::At(kBase + 1).kind(), PagemapEntryKind::kNone);
  for (uintptr_t a = kBase + 4096; a <= kBase + kChunkBytes; a += 4096) {
    ASSERT_EQ(PagemapEntry::At(a).kind(), PagemapEntryKind::kNone);
  }
  EXPECT_EQ(PagemapEntry::At(kBase - 1).kind(), PagemapEntryKind::kNone);
}

}  // namespace
}  // namespace hakmem
