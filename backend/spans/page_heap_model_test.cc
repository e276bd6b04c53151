// Runs the page heap under every interleaving of a few operations, with memory
// as weak as C11 allows (testing/interleaver): purges, during which the lock is
// free, beside spans that are allocated, freed, resized or cached. Each run
// ends with a check of the metadata (heap_verifier.h).

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <new>
#include <set>
#include <utility>
#include <vector>

// First the replacements for atomics and locks.
#include "tests/interleaving/in_place_of_lock.h"
#include "tests/interleaving/in_place_of_std.h"
//
#include "backend/memory/model_system_test_helper.h"
#include "backend/memory/pagemap.cc"
#include "backend/spans/page_heap.cc"
#include "backend/spans/page_heap_check.cc"

namespace hakmem {
namespace {

using interleaver::Explore;
using interleaver::Options;
using interleaver::Require;
using interleaver::Result;
using interleaver::Threads;

constexpr uintptr_t kFirstChunk = uintptr_t{1} << 40;
constexpr size_t kMaxChunks = 2;

// --- Chunks ------------------------------------------------------------------

struct Chunks {
  Mutex mutex;
  bool is_used[kMaxChunks] = {};
  bool is_dirty[kMaxChunks] = {};
  bool is_dense = false;  // for chunks to come
};

Chunks& chunks = *new Chunks;

}  // namespace

ChunkSource::Allocation ChunkSource::Allocate(Use, size_t, size_t) {
  MutexLock lock(chunks.mutex);
  for (size_t c = 0; c < kMaxChunks; ++c) {
    if (std::exchange(chunks.is_used[c], true)) continue;
    return {kFirstChunk + c * kChunkBytes, !chunks.is_dirty[c],
            chunks.is_dense};
  }
  return {};
}

void ChunkSource::Free(uintptr_t address, size_t dirty_bytes, uint64_t) {
  MutexLock lock(chunks.mutex);
  const size_t c = (address - kFirstChunk) / kChunkBytes;
  Require(chunks.is_used[c], "a chunk is freed twice");
  for (const uintptr_t place : model::system_below.held) {
    Require(place < address || place >= address + kChunkBytes,
            "a chunk is freed with a span in use");
  }
  chunks.is_used[c] = false;
  chunks.is_dirty[c] = dirty_bytes != 0;
}

bool ChunkSource::BecomeSparse(uintptr_t) {
  MutexLock lock(chunks.mutex);
  return true;
}

bool HugePages::AreWantedWhereDense() { return true; }
// Stands for the kernel's look at memory while the heap's lock is free.
bool os::IsMostlyTouched(uintptr_t, size_t, size_t) {
  MutexLock lock(mutex);
  return false;
}

// The pagemap runs without a window: classes lie in leaves.
uint64_t os::AddressSpaceLimit() { return UINT64_MAX; }
os::Mapping os::Map(size_t, size_t, Access) { return {0, ENOMEM}; }
int os::AdviseNoHugePages(uintptr_t, size_t) { return 0; }
int os::Commit(uintptr_t, size_t) { return ENOMEM; }
void os::Release(uintptr_t, size_t) {}

namespace {

// --- Operations --------------------------------------------------------------

struct Span {
  uintptr_t address = 0;
  size_t pages = 0;
};

// The span's pages, or only those at its ends when they are many.
template <typename Visit>
void ForEachPlace(const Span& span, Visit&& visit) {
  for (size_t page = 0; page < span.pages; ++page) {
    if (page < 4 || page + 4 >= span.pages) {
      visit(span.address + page * kPageBytes);
    }
  }
}

Span Allocate(size_t pages) {
  const SpanAllocation allocation = PageHeap::Allocate(pages, kPageBytes);
  if (!allocation) return {};
  const Span span{allocation.address, pages};
  ForEachPlace(
      span, [&](uintptr_t place) { model::Hold(place, allocation.is_zero); });
  Require(PageHeap::PagesAt(PagemapEntry::At(span.address)) == pages,
          "a span has not the length that was asked for");
  return span;
}

void Free(const Span& span) {
  ForEachPlace(span, model::LetGo);
  Require(PageHeap::Free(PagemapEntry::At(span.address), 1) == span.pages,
          "a span in use cannot be freed");
}

void Purge() { PageHeap::Purge(2, /*force=*/true); }

class PageHeapModel : public testing::Test {
 protected:
  void SetUp() override {
    // Creates the pagemap's leaves, which stay for the whole process.
    for (size_t c = 0; c < kMaxChunks; ++c) {
      static Chunk chunk;
      ASSERT_TRUE(Pagemap::SetChunk(kFirstChunk + c * kChunkBytes, &chunk));
    }
    model::KeepMetadata();
  }

  // A fresh heap.
  void Begin() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (size_t c = 0; c < kMaxChunks; ++c) {
      Pagemap::SetChunk(kFirstChunk + c * kChunkBytes, nullptr);
    }
    model::BeginSystem();
    new (&chunks) Chunks;
    new (&chunk_pool) MetadataAllocator<PageChunk>;
    new (&held) IntrusiveList<PageChunk, HeldPageChunksTag>;
    new (&density) Density;
    for (auto& list : free_lists) new (&list) IntrusiveList<FreeSpan>;
    std::fill(std::begin(lengths_in_use), std::end(lengths_in_use), 0);
    held_count = 0;
    last_purge = 0;
    dirty_pages = 0;
    used_pages.store(0);
    DirtyBytes::SetSpans(0);
  }

  // After all threads: the metadata is consistent, and exactly the spans not
  // freed are in use.
  static void RequireInvariants() {
    HeapVerifier check;
    PageHeap::VerifyInvariants(check);
    size_t places = 0;
    for (const uintptr_t place : model::system_below.held) {
      ++places;
      Require(PageHeap::SpanAround(place) != 0, "a span in use is lost");
    }
    Require((PageHeap::UsedBytes() != 0) == (places != 0),
            "a freed span is in use");
    Purge();
    Require(PageHeap::Totals().committed_bytes == PageHeap::UsedBytes(),
            "free memory stays resident");
  }

  Result Run(const std::function<Threads()>& make, Options options = {}) {
    // Files whose accesses affect no decision.
    options.quiet_files.insert(
        options.quiet_files.end(),
        {"counters.h", "dirty_bytes.h", "options.h", "single_thread.h"});
    return Explore(make, RequireInvariants, options);
  }
};

// A free span lies between two used ones; it is purged while both neighbours
// are freed, and a span is allocated.
TEST_F(PageHeapModel, ASpanIsPurgedBetweenTwoThatAreFreed) {
  const Result result = Run([&] {
    Begin();
    const Span before = Allocate(2);
    const Span free = Allocate(3);
    const Span after = Allocate(2);
    Free(free);
    return Threads{[] { Purge(); },
                   [=] {
                     Free(before);
                     Allocate(3);
                   },
                   [=] { Free(after); }};
  });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
}

// The last span of a chunk is freed while another part of it is purged: then
// the end of that purge releases the chunk, and the other purge goes on.
TEST_F(PageHeapModel, TwoPurgeAChunkThatEmpties) {
  const Result result = Run([&] {
    Begin();
    const Span first = Allocate(2);
    const Span second = Allocate(2);
    Free(first);
    return Threads{[] { Purge(); }, [] { Purge(); }, [=] { Free(second); }};
  });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 10);
}

// A span grows into the free one after it, or fails to, while that is purged;
// then it shrinks, and its tail can be purged too.
TEST_F(PageHeapModel, ASpanGrowsAndShrinksBesideOneThatIsPurged) {
  int64_t grown = 0;
  int64_t refused = 0;
  const Result result = Run([&] {
    Begin();
    const Span span = Allocate(2);
    const Span behind = Allocate(2);
    Allocate(1);
    Free(behind);
    return Threads{[] { Purge(); },
                   [&, span] {
                     const bool grows =
                         PageHeap::Resize(PagemapEntry::At(span.address), 3, 1);
                     ++(grows ? grown : refused);
                     if (grows) {
                       const Span tail{span.address + 2 * kPageBytes, 1};
                       ForEachPlace(tail, [](uintptr_t place) {
                         model::Hold(place, /*is_zero=*/false);
                       });
                       ForEachPlace(tail, model::LetGo);
                     }
                     Require(
                         PageHeap::Resize(PagemapEntry::At(span.address), 2, 1),
                         "a span cannot shrink");
                   }};
  });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GT(grown, 0);
  EXPECT_GT(refused, 0);
}

// A cache above takes a span out of use and back, without the lock, and frees
// it as a cached one, while its neighbours are purged.
TEST_F(PageHeapModel, ASpanIsCachedBesideOneThatIsPurged) {
  const Result result = Run([&] {
    Begin();
    const Span before = Allocate(2);
    const Span span = Allocate(2);
    Allocate(1);
    Free(before);
    return Threads{
        [] { Purge(); },
        [=] {
          PageHeap::MarkCached(PagemapEntry::At(span.address), span.pages);
          Require(
              PageHeap::PagesAt(PagemapEntry::At(span.address)) == 0 &&
                  PageHeap::CachedPagesAt(PagemapEntry::At(span.address)) == 2,
              "a cached span is in use");
          PageHeap::MarkUsed(span.address, span.pages);
          PageHeap::MarkCached(PagemapEntry::At(span.address), span.pages);
          ForEachPlace(span, model::LetGo);
          Require(PageHeap::FreeCached(PagemapEntry::At(span.address), 1) == 2,
                  "a cached span cannot be freed");
        },
        [] { Allocate(2); }};
  });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
}

// The newest chunk is full, so the kernel looks at it before another is made.
// Meanwhile it is freed and released, or room appears.
TEST_F(PageHeapModel, AChunkIsLookedAtThatComesFree) {
  const Result result = Run([&] {
    Begin();
    const Span first = Allocate(256);
    const Span second = Allocate(256);
    return Threads{[] { Allocate(2); },
                   [=] {
                     Free(first);
                     Free(second);
                   },
                   [] { Allocate(3); }};
  });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
}

// The kernel refuses a purge: the span is free as before.
TEST_F(PageHeapModel, WhatIsNotPurgedIsFreeAsBefore) {
  const Result result = Run([&] {
    Begin();
    const Span span = Allocate(2);
    const Span other = Allocate(2);
    Free(span);
    model::system_below.purges_fail = true;
    return Threads{[] {
                     Purge();
                     model::system_below.purges_fail = false;
                   },
                   [=] {
                     Allocate(2);
                     Free(other);
                   }};
  });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 3);
}

}  // namespace
}  // namespace hakmem
