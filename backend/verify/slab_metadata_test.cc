// As heap_verifier_test.cc, for the metadata of slabs in both back-ends: each
// damage must be reported, and nothing before and after.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "backend/memory/pagemap.h"
#include "backend/segment/remote_frees.h"
#include "backend/segment/segment.h"
#include "backend/segment/segment_heap.h"
#include "backend/slabs/slab.h"
#include "backend/slabs/slab_source.h"
#include "backend/superslab/superslab.h"
#include "backend/verify/heap_verifier.h"
#include "backend/verify/heap_verifier_test_helper.h"

namespace hakmem {
namespace {

constexpr SizeClass kClass{5};

template <typename B>
std::string BackendFaults(typename B::Heap* heap) {
  return FaultsOf([heap](HeapVerifier& check) {
    B::LockForFork();
    B::NoteHolder(check, heap);
    B::VerifyInvariants(check);
    B::UnlockAfterFork();
  });
}

// A heap with one slab, some of whose blocks are in use.
template <typename B, typename SlabT>
struct PartialSlab {
  static constexpr uint32_t kBlocks = 100;

  PartialSlab() : heap(B::Attach()) {
    taken = B::Refill(heap, kClass, blocks, kBlocks);
    slab = FindSlab<SlabT>(address());
    chunk = static_cast<SlabChunk<SlabT>*>(Pagemap::ChunkAt(address()));
  }
  ~PartialSlab() {
    EXPECT_EQ(faults(), "");
    B::Drain(heap, kClass, blocks, taken);
    EXPECT_EQ(faults(), "");
    B::Detach(heap);
  }
  uintptr_t address() const { return reinterpret_cast<uintptr_t>(blocks[0]); }
  std::string faults() const { return BackendFaults<B>(heap); }
  // Expects the check to report a damaged `*place`.
  template <typename T>
  void Expect(T* place, T damaged, const char* fault) {
    ExpectFault(
        place, damaged, [this] { return faults(); }, fault);
  }

  typename B::Heap* heap;
  void* blocks[kBlocks];
  uint32_t taken;
  SlabT* slab;
  SlabChunk<SlabT>* chunk;
};

template <typename B, typename SlabT>
void ExpectSlabFaults() {
  PartialSlab<B, SlabT> p;
  ASSERT_EQ(p.taken, p.kBlocks);
  ASSERT_EQ(p.faults(), "");
  SlabT& slab = *p.slab;
  p.Expect(&slab.free_count, uint16_t(slab.free_count + 1),
           "wrong count of a slab's free blocks");
  p.Expect(&slab.free_bits[0], slab.free_bits[0] | 1,
           "wrong count of a slab's free blocks");
  p.Expect(&slab.scan_word, uint16_t(slab.scan_word + 1),
           "free blocks before its scan word");
  p.Expect(&slab.touched_bytes, slab.block_bytes,
           "in use lies where nothing was touched");
  p.Expect(&slab.touched_bytes, uint32_t{kSlabBytes + 1},
           "a slab is touched beyond its end");
  p.Expect(&slab.purged_pages, uint16_t{1},
           "purged or idle, but a block there is in use");
  p.Expect(&slab.idle_pages, uint16_t{1},
           "purged or idle, but a block there is in use");
  p.Expect(&slab.idle_queue, uint8_t(slab.idle_queue ^ 1),
           "slabs say that they are queued, but are not");
  p.Expect(&slab.block_bytes, slab.block_bytes + 16,
           "a slab's blocks are not those of its class");
  p.Expect(&slab.bucket, uint8_t(slab.bucket ^ 1),
           "a slab is in the list of another fullness");
  p.Expect(&slab.size_class, SizeClass{6},
           "the pagemap's class is not the slab's");
  p.Expect(&slab.base, slab.base + kSlabBytes, "a slab is of another address");
  const uint32_t own = 1u << (&slab - p.chunk->slabs);
  p.Expect(&p.chunk->free_mask, p.chunk->free_mask | own,
           "a slab of a class is free as well");
  p.Expect(&p.chunk->free_mask, p.chunk->free_mask & (p.chunk->free_mask - 1),
           "a slab without a class is not free");
  p.Expect(&p.chunk->base, p.chunk->base + kChunkBytes,
           "a slab chunk is not in the pagemap");
  Pagemap::SetClass(slab.base, SizeClass::kNone);
  EXPECT_NE(p.faults().find("the pagemap's class is not the slab's"),
            std::string::npos);
  Pagemap::SetClass(slab.base, kClass);
}

TEST(SuperSlabMetadata, NameEachDamageOfASlab) {
  ExpectSlabFaults<SuperSlabBackend, Slab>();
}

TEST(SegmentMetadata, NameEachDamageOfAPage) {
  ExpectSlabFaults<SegmentBackend, SegmentSlab>();
}

// Takes a block out of its slab without the pool.
TEST(SuperSlabMetadata, NameABlockThatIsLost) {
  PartialSlab<SuperSlabBackend, Slab> p;
  void* block;
  ASSERT_EQ(p.slab->Take(&block, 1), 1u);
  EXPECT_NE(p.faults().find("wrong count of a class's blocks in use"),
            std::string::npos);
  ASSERT_TRUE(p.slab->Put(p.slab->BlockAt(reinterpret_cast<uintptr_t>(block))));
}

TEST(SegmentMetadata, NameAWrongOwner) {
  PartialSlab<SegmentBackend, SegmentSlab> p;
  p.slab->owner.store(nullptr);
  EXPECT_NE(p.faults().find("a page's owner is not the heap that holds it"),
            std::string::npos);
  p.slab->owner.store(p.heap);
  RemoteLink* link = p.chunk->LastingAt(p.address());
  link->owner.store(nullptr);
  EXPECT_NE(p.faults().find("a page's link has another owner"),
            std::string::npos);
  link->owner.store(p.heap);
  p.Expect(&link->page, p.slab + 1, "a page's link leads to another page");
}

TEST(SegmentMetadata, NameRemoteFreesThatNobodyWillCollect) {
  PartialSlab<SegmentBackend, SegmentSlab> p;
  const uint32_t used = p.slab->BlockAt(p.address());
  uint64_t* word = &p.slab->remote_bits[used / 64];
  p.Expect(word, *word | uint64_t{1} << (used % 64),
           "a page with remote frees does not wait");
  const uint32_t last = p.slab->block_count - 1u;
  word = &p.slab->remote_bits[last / 64];
  ASSERT_TRUE(p.slab->IsBlockFree(last));
  p.Expect(word, *word | uint64_t{1} << (last % 64),
           "a block freed remotely is free already");
  p.Expect(&p.slab->remote_bits[kMaxSlabBlocks / 64 - 1], uint64_t{1} << 63,
           "a block was freed remotely that the page does not have");
  RemoteLink* link = p.chunk->LastingAt(p.address());
  link->waiting.store(true);
  EXPECT_NE(p.faults().find("say that they wait, but are in no stack"),
            std::string::npos);
  link->waiting.store(false);
}

TEST(SegmentMetadata, AcceptRemoteFreesOnTheirWayAndNameATornStack) {
  PartialSlab<SegmentBackend, SegmentSlab> p;
  SegmentBackend::Heap* other = SegmentBackend::Attach();
  const auto faults_with = [&](SegmentBackend::Heap* second, int times) {
    return FaultsOf([&](HeapVerifier& check) {
      SegmentBackend::LockForFork();
      SegmentBackend::NoteHolder(check, p.heap);
      for (int i = 0; i < times; ++i) SegmentBackend::NoteHolder(check, second);
      SegmentBackend::VerifyInvariants(check);
      SegmentBackend::UnlockAfterFork();
    });
  };
  const auto faults = [&] { return faults_with(other, 1); };
  EXPECT_EQ(faults(), "");
  EXPECT_NE(faults_with(other, 2).find("a heap has two holders"),
            std::string::npos);
  EXPECT_NE(faults_with(other, 0).find("a heap is nobody's"),
            std::string::npos);
  const uintptr_t freed = reinterpret_cast<uintptr_t>(p.blocks[p.taken - 1]);
  void* block = p.blocks[--p.taken];
  SegmentBackend::Drain(other, kClass, &block, 1);
  EXPECT_TRUE(SegmentBackend::IsFreedRemotely(freed));
  EXPECT_EQ(faults(), "");
  RemoteLink* link = p.chunk->LastingAt(freed);
  ExpectFault(&link->next_waiting, link, faults, "leads in a circle");
  link->waiting.store(false);
  EXPECT_NE(faults().find("does not say that it waits"), std::string::npos);
  link->waiting.store(true);
  SegmentBackend::Collect(0, /*force=*/false);
  EXPECT_FALSE(SegmentBackend::IsFreedRemotely(freed));
  EXPECT_EQ(faults(), "");
  SegmentBackend::Detach(other);
}

// A thread that frees remotely may push a page on its owner's stack after the
// owner has collected the page's bits and freed its segment
// (backend/segment/remote_frees.h). The page's link must stay even if the
// metadata of the segment is purged, or the pages below it are lost.
TEST(SegmentMetadata, PagesStayInTheirStackWhenTheirSegmentIsGivenBack) {
  constexpr SizeClass kLargest{kTinyClassCount - 1};  // 32 blocks a page
  constexpr size_t kBlocks = 10 * kSlabsPerChunk * 32;
  SegmentBackend::Heap* heap = SegmentBackend::Attach();
  SegmentBackend::Heap* other = SegmentBackend::Attach();
  std::vector<void*> blocks(kBlocks);
  for (size_t i = 0; i < kBlocks;) {
    i += SegmentBackend::Refill(heap, kLargest, &blocks[i], 32);
  }
  // A remote free that the owner has not collected yet.
  void* first = blocks.front();
  SegmentBackend::Drain(other, kLargest, &first, 1);
  // And a late push of a page in one of the last segments to be freed.
  const auto late = reinterpret_cast<uintptr_t>(
      blocks[kBlocks - kSlabsPerChunk * 32 * 3 / 2]);
  const auto* page = FindSlab<SegmentSlab>(late);
  ASSERT_NE(page->base, 0u);
  DeliverRemoteLink(FindSlabChunk<SegmentSlab>(late)->LastingAt(late), heap);
  SegmentBackend::Drain(heap, kLargest, &blocks[1],
                        static_cast<uint32_t>(kBlocks - 1));
  EXPECT_EQ(Pagemap::ChunkAt(late), nullptr);
  heap->source.Purge(0, /*force=*/true);
  EXPECT_EQ(page->base, 0u) << "the segment's metadata is not purged";
  EXPECT_EQ(FaultsOf([&](HeapVerifier& check) {
              SegmentBackend::LockForFork();
              SegmentBackend::NoteHolder(check, heap);
              SegmentBackend::NoteHolder(check, other);
              SegmentBackend::VerifyInvariants(check);
              SegmentBackend::UnlockAfterFork();
            }),
            "");
  SegmentBackend::Collect(0, /*force=*/true);
  EXPECT_EQ(SegmentBackend::Totals().block_bytes, 0u);
  SegmentBackend::Detach(other);
  SegmentBackend::Detach(heap);
}

}  // namespace
}  // namespace hakmem
