// Runs the segment back-end's own source under every interleaving of a few
// operations (testing/interleaver), on a memory as weak as C11's: remote frees,
// adoption, slabs purged without the lock, the pagemap. The system below it
// (chunks, metadata, the kernel's purge) is a model.
//
// A block's memory is a plain variable that its holder and a purge write to. So
// a block that is handed out twice, purged while in use, or handed on without
// release and acquire is a data race.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <string>
#include <vector>

// First the replacements of atomics and locks.
#include "tests/interleaving/in_place_of_lock.h"
#include "tests/interleaving/in_place_of_std.h"
//
#include "backend/memory/model_aborts_test_helper.h"
#include "backend/memory/pagemap.cc"
#include "backend/segment/segment.cc"
#include "backend/segment/segment_heap.cc"
#include "backend/segment/segment_system_test_helper.h"
#include "tests/interleaving/mutants.h"
#include "tracing/failures/failure_note.h"

namespace hakmem {
namespace {

using interleaver::Explore;
using interleaver::Options;
using interleaver::Require;
using interleaver::Result;
using interleaver::Survivors;
using interleaver::Threads;

constexpr SizeClass kClass = ClassOf(kMaxTinyBytes);
constexpr SizeClass kOtherClass = ClassOf(kMaxTinyBytes / 2);

// --- Access to state that each run resets ------------------------------------

using ChunkPool = MetadataAllocator<SlabChunk<SegmentSlab>>;

// Explicit instantiation may name private members.
template <ChunkPool* kPool>
struct Expose {
  friend ChunkPool* PoolOfChunks() { return kPool; }
};
ChunkPool* PoolOfChunks();
template struct Expose<&SlabSource<SegmentSlab>::pool_>;

using RowPool = MetadataAllocator<LinksRow>;
template <RowPool* kPool>
struct ExposeRows {
  friend RowPool* PoolOfRows() { return kPool; }
};
RowPool* PoolOfRows();
template struct ExposeRows<&LastingParts<SegmentSlab>::pool_>;

template <size_t ChunkPool::*kCount>
struct ExposeCount {
  friend void SetFreeCount(ChunkPool* pool, size_t count) {
    pool->*kCount = count;
  }
};
void SetFreeCount(ChunkPool* pool, size_t count);
template struct ExposeCount<&ChunkPool::free_count_>;

// --- What threads do ---------------------------------------------------------

// The program writes to a block that it holds.
void Use(void* block) {
  system_below.memory[reinterpret_cast<uintptr_t>(block)] = 1;
}

void* Allocate(SegmentBackend::Heap* heap, SizeClass c = kClass) {
  void* block = nullptr;
  if (SegmentBackend::Refill(heap, c, &block, 1) == 0) return nullptr;
  const auto address = reinterpret_cast<uintptr_t>(block);
  Require(system_below.live.insert(address).second,
          "a block is handed out twice");
  Require(Pagemap::ClassAt(address) == c, "a block of another class");
  Use(block);
  return block;
}

void Free(SegmentBackend::Heap* heap, void* block, SizeClass c = kClass) {
  Use(block);
  const auto address = reinterpret_cast<uintptr_t>(block);
  Require(Pagemap::ClassAt(address) == c, "the class cannot be seen");
  system_below.live.erase(address);
  SegmentBackend::Drain(heap, c, &block, 1);
}

class SegmentModel : public testing::Test {
 protected:
  using Heap = SegmentBackend::Heap;

  void SetUp() override {
    // Creates the pagemap's leaves, once for all runs.
    for (size_t c = 0; c < kMaxChunks; ++c) {
      static Chunk chunk;
      ASSERT_TRUE(Pagemap::SetChunk(kFirstChunk + c * kChunkBytes, &chunk));
    }
    system_below.metadata_kept =
        std::max(system_below.metadata_kept, system_below.metadata_used);
  }

  // Starts with an empty back-end whose segments have `slabs` slabs.
  void Begin(size_t slabs = 1) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    System& s = system_below;
    for (size_t c = 0; c < kMaxChunks; ++c) {
      const uintptr_t chunk = kFirstChunk + c * kChunkBytes;
      Pagemap::SetChunk(chunk, nullptr);
      for (size_t i = 0; i < kSlabsPerChunk; ++i) {
        Pagemap::SetClass(chunk + i * kSlabBytes, SizeClass::kNone);
      }
      s.chunk_is_used[c] = false;
    }
    memset(s.metadata + s.metadata_kept, 0, s.metadata_used - s.metadata_kept);
    s.metadata_used = s.metadata_kept;
    s.memory.clear();
    s.live.clear();
    s.purged_metadata.clear();
    s.links.clear();
    new (PoolOfChunks()) ChunkPool;
    new (PoolOfRows()) RowPool;
    // As many as stay resident, so that the metadata of each freed segment is
    // purged.
    SetFreeCount(PoolOfChunks(), 1000);
    new (&heap_pool) MetadataAllocator<Heap>;
    all_heaps = nullptr;
    orphans = nullptr;
    options::internal::values[options::k_superslab_bytes].store(slabs *
                                                                kSlabBytes);
    options::internal::values[options::k_decay].store(0);
  }

  // After all threads: exactly the blocks that were not freed are in use.
  void RequireInvariants() {
    SegmentBackend::Collect(2, /*force=*/true);
    SegmentBackend::Collect(2, /*force=*/true);
    size_t bytes = 0;
    for (const uintptr_t block : system_below.live) {
      bytes += ClassBytes(Pagemap::ClassAt(block));
    }
    Require(SegmentBackend::Totals().block_bytes == bytes,
            "a freed block is lost");
  }

  Result Run(const std::function<Threads()>& make, Options options) {
    // Files whose operations do not affect the outcome.
    options.quiet_files = {"counters.h", "dirty_bytes.h", "options.h"};
    return Explore(
        make, [&] { RequireInvariants(); }, options);
  }

  static void Collect(Heap* heap) {
    heap->EndEpoch(2, /*force=*/true);
    heap->source.Purge(2, /*force=*/true);
  }

  // Allocates all blocks of a page, so that the heap has none left.
  static std::vector<void*> FillPage(Heap* heap) {
    std::vector<void*> blocks;
    for (size_t i = 0; i < kSlabBytes / ClassBytes(kClass); ++i) {
      blocks.push_back(Allocate(heap));
    }
    return blocks;
  }

  // Two threads free a page's last two blocks; its owner collects, and frees
  // the page and its segment; another thread reuses it, and one of the first
  // two frees the first block allocated from it.
  Result EmptyPageMovesOn(const Options& options) {
    moved_on_ = 0;
    return Run(
        [&] {
          Begin();
          Heap* a = SegmentBackend::Attach();
          Heap* b = SegmentBackend::Attach();
          void* first = Allocate(a);
          void* second = Allocate(a);
          return Threads{[=] { Free(b, first); },
                         [=, this] {
                           Free(nullptr, second);
                           Collect(a);
                           Heap* c = SegmentBackend::Attach();
                           void* next = Allocate(c, kOtherClass);
                           if (next == first) ++moved_on_;
                           Free(nullptr, next, kOtherClass);
                           Collect(c);
                         }};
        },
        options);
  }

  // The same page is pushed late, with another page below or above it in its
  // owner's stack; by then its metadata may be purged and reused.
  Result EmptyPageIsPushedLate(const Options& options) {
    purged_ = 0;
    return Run(
        [&] {
          Begin();
          Heap* a = SegmentBackend::Attach();
          Heap* b = SegmentBackend::Attach();
          void* first = Allocate(a);
          void* second = Allocate(a);
          void* other = Allocate(a, kOtherClass);
          const SegmentSlab* page =
              FindSlab<SegmentSlab>(reinterpret_cast<uintptr_t>(first));
          return Threads{[=] { Free(b, first); },
                         [=, this] {
                           Free(nullptr, second);
                           Collect(a);
                           purged_ += page->base == 0;
                           Allocate(b);
                         },
                         [=] { Free(nullptr, other, kOtherClass); }};
        },
        options);
  }

  // Two threads free blocks of one page while its owner allocates.
  Result FreedIntoWhileInUse(const Options& options) {
    return Run(
        [&] {
          Begin();
          Heap* a = SegmentBackend::Attach();
          Heap* b = SegmentBackend::Attach();
          Heap* c = SegmentBackend::Attach();
          const std::vector<void*> blocks = FillPage(a);
          void* first = blocks[0];
          void* second = blocks[1];
          return Threads{[=] { Free(b, first); }, [=] { Free(c, second); },
                         [=] { Allocate(a); }};
        },
        options);
  }

  int64_t moved_on_ = 0;
  int64_t purged_ = 0;
};

TEST_F(SegmentModel, AnEmptyPageMovesOn) {
  const Result result = EmptyPageMovesOn({});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
  EXPECT_GE(moved_on_, 20);
}

TEST_F(SegmentModel, TheMetadataOfAnEmptyPageArePurgedWhileItIsPushed) {
  const Result result = EmptyPageIsPushedLate({});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 200);
  EXPECT_GE(purged_, 200);
}

TEST_F(SegmentModel, LinksMustNotBePurged) {
  system_below.links_are_purged = true;
  const Result result = EmptyPageIsPushedLate({});
  system_below.links_are_purged = false;
  EXPECT_THAT(result.failure, testing::HasSubstr("a freed block is lost"));
}

TEST_F(SegmentModel, APageIsFreedIntoWhileItsOwnerAllocates) {
  const Result result = FreedIntoWhileInUse({});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 50);
}

// The same with two blocks per thread.
TEST_F(SegmentModel, APageIsFreedIntoTwiceWhileItsOwnerAllocatesTwice) {
  const Result result = Run(
      [&] {
        Begin();
        Heap* a = SegmentBackend::Attach();
        const std::vector<void*> blocks = FillPage(a);
        void* block[] = {blocks[0], blocks[1], blocks[2]};
        return Threads{[=] {
                         Free(nullptr, block[0]);
                         Free(nullptr, block[1]);
                       },
                       [=] { Free(nullptr, block[2]); },
                       [=] {
                         Allocate(a);
                         Allocate(a);
                       }};
      },
      {});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 300);
}

// A thread has ended; while one of its blocks is freed, a new thread and one
// without free pages both try to get its heap.
TEST_F(SegmentModel, AnOrphanIsAdoptedWhileItIsFreedInto) {
  const Result result = Run(
      [&] {
        Begin();
        Heap* a = SegmentBackend::Attach();
        Heap* b = SegmentBackend::Attach();
        Heap* c = SegmentBackend::Attach();
        void* block = FillPage(a)[0];
        SegmentBackend::Detach(a);
        return Threads{[=] { Free(b, block); },
                       [=] {
                         Heap* adopted = SegmentBackend::Attach();
                         Free(adopted, Allocate(adopted));
                         SegmentBackend::Detach(adopted);
                       },
                       [=] { Allocate(c); }};
      },
      {});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 150);
}

// Two threads hold each other's blocks, free them and end at the same time.
TEST_F(SegmentModel, ThreadsEndWithOneAnothersBlocks) {
  const Result result = Run(
      [&] {
        Begin();
        Heap* a = SegmentBackend::Attach();
        Heap* b = SegmentBackend::Attach();
        void* of_a = FillPage(a)[0];
        void* of_b = FillPage(b)[0];
        return Threads{[=] {
                         Free(a, of_b);
                         SegmentBackend::Detach(a);
                       },
                       [=] {
                         Free(b, of_a);
                         SegmentBackend::Detach(b);
                       },
                       [=] { SegmentBackend::Collect(2, /*force=*/true); }};
      },
      {});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 80);
}

// Free slabs are purged without the lock while the heap's thread takes and
// frees slabs.
TEST_F(SegmentModel, SlabsArePurgedWhileOthersAreTaken) {
  const Result result = Run(
      [&] {
        Begin(/*slabs=*/3);
        Heap* a = SegmentBackend::Attach();
        // Two slabs with one block each, and a free one.
        void* block = Allocate(a);
        Allocate(a, kOtherClass);
        return Threads{[=] {
                         Free(a, block);
                         Free(a, Allocate(a));
                       },
                       [=] { Collect(a); }};
      },
      {});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 5);  // a critical section is one step
}

TEST_F(SegmentModel, TwoPurgeWhileASlabIsBegun) {
  const Result result = Run(
      [&] {
        Begin(/*slabs=*/3);
        Heap* a = SegmentBackend::Attach();
        void* block = Allocate(a);
        return Threads{[=] { Collect(a); }, [=] { Collect(a); },
                       [=] {
                         Free(a, block);
                         Free(a, Allocate(a, kOtherClass), kOtherClass);
                       }};
      },
      {});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 100);
}

// Pages of a slab in use are purged, by two threads, while its owner takes and
// frees blocks, and another thread frees one.
TEST_F(SegmentModel, PagesArePurgedWhileTheirSlabIsInUse) {
  const Result result = Run(
      [&] {
        Begin(/*slabs=*/2);
        Heap* a = SegmentBackend::Attach();
        const std::vector<void*> blocks = FillPage(a);
        for (size_t i = 2; i < blocks.size(); ++i) Free(a, blocks[i]);
        const auto purge = [=] {
          a->PurgeInside({InnerPurge::Which::kAll, 2, nullptr});
        };
        void* first = blocks[0];
        void* second = blocks[1];
        return Threads{purge, purge, [=] { Free(nullptr, second); },
                       [=] {
                         Allocate(a);
                         Free(a, first);
                       }};
      },
      {});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 100);
}

// The last blocks of a slab are freed while its pages are purged: the slab goes
// back afterwards, once, and another class may use it.
TEST_F(SegmentModel, ASlabEmptiesWhileItsPagesArePurged) {
  const Result result = Run(
      [&] {
        Begin(/*slabs=*/2);
        Heap* a = SegmentBackend::Attach();
        const std::vector<void*> blocks = FillPage(a);
        for (size_t i = 1; i < blocks.size(); ++i) Free(a, blocks[i]);
        void* last = blocks[0];
        return Threads{[=] {
                         a->PurgeInside({InnerPurge::Which::kThin, 2, nullptr});
                       },
                       [=] { Free(nullptr, last); },
                       [=] {
                         Collect(a);
                         Allocate(a, kOtherClass);
                       }};
      },
      {});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
}

// --- Mutants -----------------------------------------------------------------

TEST_F(SegmentModel, NeedsItsMemoryOrders) {
  const auto survivors_of = [](auto&& explore) {
    const Survivors survivors =
        interleaver::WeakenEach("segment_heap.cc", explore);
    EXPECT_GE(survivors.tried, 3);
    return survivors.texts;
  };
  // The store of a page's owner would matter if new heaps were not zeroed (as
  // in remote_frees_test).
  const auto only_the_owner =
      testing::ElementsAre("segment_heap.cc store release -> relaxed");
  EXPECT_THAT(survivors_of([&](const Options& options) {
                return FreedIntoWhileInUse(options);
              }),
              only_the_owner);
  EXPECT_THAT(survivors_of([&](const Options& options) {
                return EmptyPageIsPushedLate(options);
              }),
              only_the_owner);
}

}  // namespace
}  // namespace hakmem
