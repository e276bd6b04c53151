// Damages each kind of metadata: its check must report the damage, and nothing
// before and after.

#include "backend/verify/heap_verifier.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backend/large/large.h"
#include "backend/large/large_block.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/metadata.h"
#include "backend/memory/metadata_check.h"
#include "backend/memory/pagemap.h"
#include "backend/slabs/slab.h"
#include "backend/spans/page_chunk.h"
#include "backend/spans/page_heap.h"
#include "backend/verify/heap_verifier_test_helper.h"

namespace hakmem {
namespace {

constexpr SizeClass kClass{5};

// --- The verifier itself -----------------------------------------------------

TEST(HeapVerifier, CountsAndPrintsNoMoreThanTwentyLines) {
  const std::string lines = FaultsOf([](HeapVerifier& check) {
    for (uint64_t i = 0; i < 25; ++i) check.RequireEqual(i, 100, "odd", i);
    EXPECT_EQ(check.errors(), 25);
  });
  EXPECT_EQ(lines.find("]: heap check: odd: 0, not 100\n"), lines.find("]: "))
      << lines;
  EXPECT_NE(lines.find("odd, at 0x13: 19, not 100\n"), std::string::npos);
  EXPECT_EQ(lines.find("20, not"), std::string::npos);
  EXPECT_NE(lines.find("heap check: 5 more errors\n"), std::string::npos);
}

TEST(HeapVerifier, FindsEachOfManyThatIsThereTwice) {
  constexpr uintptr_t kCount = 100000;
  const std::string lines = FaultsOf([](HeapVerifier& check) {
    check.RequireDistinct(
        [](auto&& add) {
          for (uintptr_t i = 1; i <= kCount; ++i) add(i * 16);
        },
        "twice");
    EXPECT_EQ(check.errors(), 0);
    check.RequireDistinct(
        [](auto&& add) {
          for (uintptr_t i = 1; i <= kCount; ++i) add(i * 16);
          for (uintptr_t i = 1; i <= kCount; i += 10000) add(i * 16);
        },
        "twice");
    EXPECT_EQ(check.errors(), 10);
  });
  EXPECT_NE(lines.find("twice, at 0x10\n"), std::string::npos) << lines;
}

TEST(HeapVerifier, LostThreadsExcuseOnlyWhatMayBeHalfDone) {
  testing::internal::CaptureStderr();
  HeapVerifier check(/*lost_threads=*/true);
  EXPECT_TRUE(check.RequireAtRest(false, "half done"));
  EXPECT_TRUE(check.RequireEqualAtRest(1, 2, "half done"));
  EXPECT_FALSE(check.Require(false, "never"));
  EXPECT_EQ(check.Finish(), 1);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("never"),
            std::string::npos);
}

struct Link : ListNode<Link> {
  Link* next = nullptr;
};

TEST(HeapVerifier, EndsInListsThatLeadInCircles) {
  Link links[5];
  IntrusiveList<Link> list;
  for (Link& link : links) list.PushBack(&link);
  for (int i = 0; i < 4; ++i) links[i].next = &links[i + 1];
  const auto chain = [&] {
    return FaultsOf([&](HeapVerifier& check) {
      WalkChain(
          &links[0], [](const Link* link) { return link->next; }, "circle",
          check, [](Link*) {});
    });
  };
  const auto walk = [&] {
    return FaultsOf([&](HeapVerifier& check) {
      WalkList(list, "broken", check, [](Link*) {});
    });
  };
  EXPECT_EQ(chain(), "");
  EXPECT_EQ(walk(), "");
  for (Link& target : links) {
    ExpectFault(&links[4].next, &target, chain, "circle");
    ExpectFault(&links[4].list_next, &target, walk, "broken");
  }
}

struct PoolItem {
  PoolItem* pool_next;
};

TEST(MetadataAllocatorInvariants, NamesWhatIsFreeTwiceOrInUseAsWell) {
  static MetadataAllocator<PoolItem> pool;
  PoolItem* a = pool.Get();
  PoolItem* b = pool.Get();
  pool.Put(a);
  const auto faults = [&](const PoolItem* used) {
    return FaultsOf([&](HeapVerifier& check) {
      pool.LockForFork();
      pool.VerifyInvariants(check,
                            [&](const PoolItem* p) { return p == used; });
      pool.UnlockAfterFork();
    });
  };
  EXPECT_EQ(faults(b), "");
  EXPECT_NE(faults(a).find("metadata in use is free as well"),
            std::string::npos);
  pool.Put(b);
  EXPECT_EQ(faults(nullptr), "");
  pool.Put(a);  // again: the list is now circular
  EXPECT_NE(faults(nullptr).find("in a circle"), std::string::npos);
}

struct KeptItem : ListNode<KeptItem> {
  KeptItem* pool_next;
  uint64_t cached_at;
};

TEST(MetadataAllocatorInvariants, KnowsWhatIsKeptUntilItIsDue) {
  static MetadataAllocator<KeptItem> pool;
  KeptItem* a = pool.Get();
  KeptItem* b = pool.Get();
  const auto faults = [&](const KeptItem* used) {
    return FaultsOf([&](HeapVerifier& check) {
      pool.LockForFork();
      pool.VerifyInvariants(check,
                            [&](const KeptItem* p) { return p == used; });
      pool.UnlockAfterFork();
    });
  };
  pool.PutCached(a, 10);
  pool.PutCached(b, 11);
  EXPECT_EQ(faults(nullptr), "");
  EXPECT_NE(faults(a).find("metadata in use is cached as well"),
            std::string::npos);
  ExpectFault(
      &b->list_previous, a, [&] { return faults(nullptr); },
      "the list of cached metadata is broken");
  pool.PurgeCached(15, 5, /*force=*/false);
  EXPECT_NE(faults(a).find("metadata in use is free as well"),
            std::string::npos);
  EXPECT_NE(faults(b).find("metadata in use is cached as well"),
            std::string::npos);
  pool.Put(b);
  EXPECT_NE(faults(nullptr).find("metadata is free twice"), std::string::npos);
  EXPECT_EQ(pool.Get(), b);  // the last one kept
  pool.PutCached(b, 20);
  pool.PurgeCached(20, 5, /*force=*/true);
  EXPECT_NE(faults(b).find("metadata in use is free as well"),
            std::string::npos);
}

// --- Chunks and the pagemap ----------------------------------------------

std::string ChunkFaults() {
  return FaultsOf([](HeapVerifier& check) {
    ChunkSource::LockForFork();
    ChunkSource::VerifyInvariants(check);
    ChunkSource::UnlockAfterFork();
  });
}

std::string MapFaults() {
  return FaultsOf(
      [](HeapVerifier& check) { Pagemap::VerifyInvariants(check); });
}

TEST(ChunkSourceMetadata, NameAChunkInUseByNobodyAndOneFreedInUse) {
  Chunk chunk;
  chunk.base = ChunkSource::Allocate(ChunkSource::Use::kSparse).address;
  ASSERT_NE(chunk.base, 0u);
  EXPECT_NE(ChunkFaults().find("a chunk is in use by nobody"),
            std::string::npos);
  ASSERT_TRUE(Pagemap::SetChunk(chunk.base, &chunk));
  EXPECT_EQ(ChunkFaults(), "");
  ExpectFault(&chunk.kind, ChunkKind::kLarge, ChunkFaults,
              "a large block lies in a region");
  ExpectFault(&chunk.is_dense, true, ChunkFaults, "density");
  ChunkSource::Free(chunk.base, 0, 0);
  EXPECT_NE(ChunkFaults().find("a free chunk is in the pagemap"),
            std::string::npos);
  Pagemap::SetChunk(chunk.base, nullptr);
  EXPECT_EQ(ChunkFaults(), "");
}

TEST(PagemapVerify, NameAWrongChunkAndAClassOutsideSlabs) {
  Chunk chunk;
  chunk.base = ChunkSource::Allocate(ChunkSource::Use::kSparse).address;
  chunk.kind = ChunkKind::kPages;
  ASSERT_TRUE(Pagemap::SetChunk(chunk.base, &chunk));
  EXPECT_EQ(MapFaults(), "");
  ExpectFault(&chunk.base, chunk.base + kChunkBytes, MapFaults,
              "chunk is of another address");
  Pagemap::SetClass(chunk.base + kSlabBytes, kClass);
  EXPECT_NE(MapFaults().find("has a class where there is no slab"),
            std::string::npos);
  Pagemap::SetClass(chunk.base + kSlabBytes, SizeClass::kNone);
  Pagemap::SetChunk(chunk.base, nullptr);
  ChunkSource::Free(chunk.base, 0, 0);
  EXPECT_EQ(MapFaults(), "");
}

// --- Spans -------------------------------------------------------------------

std::string PageFaults() {
  return FaultsOf([](HeapVerifier& check) {
    PageHeap::LockForFork();
    PageHeap::VerifyInvariants(check);
    PageHeap::UnlockAfterFork();
  });
}

// Used, free, used, and the free rest of the chunk.
class PageHeapMetadata : public testing::Test {
 protected:
  void SetUp() override {
    for (uintptr_t& span : spans_) {
      span = PageHeap::Allocate(kPages, kPageBytes).address;
    }
    ASSERT_EQ(spans_[1], spans_[0] + kPages * kPageBytes);
    ASSERT_EQ(spans_[2], spans_[1] + kPages * kPageBytes);
    ASSERT_EQ(PageHeap::Free(PagemapEntry::At(spans_[1]), 0), kPages);
    chunk_ = static_cast<PageChunk*>(Pagemap::ChunkAt(spans_[0]));
    first_ = chunk_->PageOf(spans_[0]);
    ASSERT_EQ(PageFaults(), "");
  }
  void TearDown() override {
    EXPECT_EQ(PageFaults(), "");
    PageHeap::Free(PagemapEntry::At(spans_[0]), 0);
    PageHeap::Free(PagemapEntry::At(spans_[2]), 0);
    EXPECT_EQ(PageFaults(), "");
  }
  FreeSpan* free_span() {
    return &chunk_->free_spans[chunk_->TagAt(first_ + kPages).slot];
  }
  void ExpectTagFault(size_t page, PageChunk::Tag damaged, const char* fault) {
    const PageChunk::Tag whole = chunk_->TagAt(page);
    chunk_->SetTag(page, damaged);
    const std::string found = PageFaults();
    chunk_->SetTag(page, whole);
    EXPECT_NE(found.find(fault), std::string::npos) << fault << "\n" << found;
  }

  static constexpr size_t kPages = 5;
  using State = PageChunk::State;
  uintptr_t spans_[3];
  PageChunk* chunk_;
  size_t first_;
};

TEST_F(PageHeapMetadata, NameTagsThatTileNoChunk) {
  const auto tag = [](size_t pages, State state, bool is_first) {
    return PageChunk::Tag::Make(pages, 0, state, is_first);
  };
  ExpectTagFault(first_, tag(kPages + 1, State::kUsed, true),
                 "no span begins where the one before ends");
  ExpectTagFault(first_, {}, "no span begins where the one before ends");
  ExpectTagFault(first_ + kPages - 1, tag(kPages - 1, State::kUsed, false),
                 "tags are not those of its length");
  ExpectTagFault(first_ + 2, tag(1, State::kUsed, true),
                 "tags are not those of its length");
  ExpectTagFault(first_ + kPages, tag(kPages, State::kUsed, true),
                 "wrong count of a chunk's used pages");
  ExpectTagFault(first_, tag(kPages, State::kPurging, true),
                 "a span is left being purged");
  ExpectTagFault(first_ + kPages, chunk_->TagAt(first_ + 3 * kPages),
                 "slot is another's");
  ExpectTagFault(first_ + 2 * kPages, tag(kPages, State::kFree, true),
                 "two free spans are neighbours");
}

TEST_F(PageHeapMetadata, NameFreeSpansThatListsAndSumsDoNotKnow) {
  ExpectFault(&free_span()->resident, uint16_t(1), PageFaults,
              "wrong count of a free span's resident pages");
  ExpectFault(&free_span()->first, uint16_t(first_), PageFaults,
              "a free span's slot is another's");
  ExpectFault(&free_span()->list_previous, free_span(), PageFaults,
              "a list of free spans is broken");
  ExpectFault(&chunk_->used_pages, chunk_->used_pages + 1, PageFaults,
              "wrong count of a chunk's used pages");
  ExpectFault(&chunk_->has_resident, false, PageFaults,
              "does not know of its free resident pages");
  ExpectFault(&chunk_->unused_slots[1], uint64_t{0}, PageFaults,
              "wrong number of slots for free spans");
  const size_t word = first_ / 64;
  ExpectFault(&chunk_->resident[word],
              chunk_->resident[word] & ~(uint64_t{1} << (first_ % 64)),
              PageFaults, "a used span is not resident all through");
  ExpectFault(&chunk_->base, chunk_->base + kChunkBytes, PageFaults,
              "a page chunk is not in the pagemap");
}

TEST_F(PageHeapMetadata, KnowCachedSpansAndNoSpanBeingPurged) {
  PageHeap::MarkCached(PagemapEntry::At(spans_[0]), kPages);
  uint64_t cached = 0;
  EXPECT_EQ(FaultsOf([&](HeapVerifier& check) {
              PageHeap::LockForFork();
              PageHeap::VerifyInvariants(check);
              PageHeap::UnlockAfterFork();
              cached = check.tally.cached_spans;
            }),
            "");
  EXPECT_EQ(cached, 1u);
  PageHeap::MarkUsed(spans_[0], kPages);
  PageHeap::Purge(0, /*force=*/true);
}

// --- Large blocks ------------------------------------------------------------

std::string LargeFaults() {
  return FaultsOf([](HeapVerifier& check) {
    Large::LockForFork();
    ChunkSource::LockForFork();
    Large::VerifyInvariants(check);
    ChunkSource::UnlockAfterFork();
    Large::UnlockAfterFork();
  });
}

LargeBlock* LargeAt(uintptr_t address) {
  return static_cast<LargeBlock*>(Pagemap::ChunkAt(address));
}

TEST(LargeMetadata, NameEachDamageOfABlock) {
  const uintptr_t a = Large::AllocateFresh(3 * kChunkBytes, 16).address;
  // Keeps them apart: neighbours would be joined once they are cached.
  const uintptr_t between = Large::AllocateFresh(kChunkBytes, 16).address;
  const uintptr_t b = Large::AllocateFresh(3 * kChunkBytes, 16).address;
  ASSERT_TRUE(a != 0 && between != 0 && b != 0);
  EXPECT_EQ(LargeFaults(), "");
  LargeBlock* block = LargeAt(a);
  LargeBlock* other = LargeAt(b);
  ExpectFault(&block->bytes, block->bytes + kPageBytes, LargeFaults,
              "wrong sum of large blocks' bytes");
  ExpectFault(&block->tail, size_t{kPageBytes}, LargeFaults,
              "wrong number of blocks in the list of tails");
  ExpectFault(&block->borders, uint64_t{3}, LargeFaults,
              "wrong sum of large blocks' borders");
  ExpectFault(&block->base, a + 1, LargeFaults, "misplaced");
  ASSERT_TRUE(Pagemap::SetChunk(a + kChunkBytes, other));
  EXPECT_NE(LargeFaults().find("a chunk lies in a large block's memory"),
            std::string::npos);
  Pagemap::SetChunk(a + kChunkBytes, nullptr);
  Pagemap::SetChunk(a, nullptr);
  EXPECT_NE(LargeFaults().find("in use is not in the pagemap"),
            std::string::npos);
  ASSERT_TRUE(Pagemap::SetChunk(a, block));

  // A cached block is in the list, not in the pagemap.
  ASSERT_TRUE(Large::Cache(PagemapEntry::At(a), 0));
  EXPECT_EQ(LargeFaults(), "");
  ExpectFault(&block->bytes, block->bytes - kPageBytes, LargeFaults,
              "wrong sum of cached blocks' bytes");
  ExpectFault(&block->tail, size_t{kPageBytes}, LargeFaults,
              "a cached block has a tail");
  ExpectFault(&block->base, b, LargeFaults,
              "a cached block and one in use share memory");
  ASSERT_TRUE(Large::Cache(PagemapEntry::At(b), 0));
  ExpectFault(&block->base, b, LargeFaults, "two cached blocks share memory");
  ASSERT_TRUE(Large::Free(PagemapEntry::At(between)));
  Large::Purge(0, /*force=*/true);
  EXPECT_EQ(LargeFaults(), "");
}

TEST(LargeMetadata, KnowTailsOfBlocksThatShrank) {
  const uintptr_t a = Large::AllocateFresh(6 * kChunkBytes, 16).address;
  ASSERT_EQ(Large::Resize(PagemapEntry::At(a), 2 * kChunkBytes).address, a);
  EXPECT_EQ(LargeFaults(), "");
  ASSERT_NE(LargeAt(a)->tail, 0u);
  ExpectFault(&LargeAt(a)->tail, size_t{0}, LargeFaults,
              "a block without a tail is in the list of tails");
  ASSERT_TRUE(Large::Free(PagemapEntry::At(a)));
  EXPECT_EQ(LargeFaults(), "");
}

}  // namespace
}  // namespace hakmem
