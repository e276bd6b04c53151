// Runs the pools of mid blocks (backend/slabs/shared_slab_pools.h with MidSlab)
// under every interleaving of a few operations, with memory as weak as C11
// allows (testing/interleaver): free blocks of slabs in use are purged, while
// the lock is free, beside threads that allocate and free blocks. Each run ends
// with a check of the pools' metadata (backend/verify/heap_verifier.h).

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <new>
#include <utility>
#include <vector>

// First the replacements for atomics and locks.
#include "tests/interleaving/in_place_of_lock.h"
#include "tests/interleaving/in_place_of_std.h"
//
#include "ace/mid_slab.h"
#include "backend/memory/model_aborts_test_helper.h"
#include "backend/memory/model_system_test_helper.h"
#include "backend/memory/pagemap.cc"
#include "backend/slabs/shared_slab_pools.h"
#include "backend/slabs/shared_slab_pools_check.h"
#include "backend/slabs/slab_check.cc"

namespace hakmem {

// The pagemap runs without a window: classes lie in leaves.
uint64_t os::AddressSpaceLimit() { return UINT64_MAX; }
os::Mapping os::Map(size_t, size_t, Access) { return {0, ENOMEM}; }
int os::AdviseNoHugePages(uintptr_t, size_t) { return 0; }
int os::Commit(uintptr_t, size_t) { return ENOMEM; }
void os::Release(uintptr_t, size_t) {}

namespace {

using interleaver::Explore;
using interleaver::Options;
using interleaver::Require;
using interleaver::Result;
using interleaver::Threads;

constexpr uintptr_t kFirstChunk = uintptr_t{1} << 40;
constexpr size_t kMaxChunks = 10;

// Four blocks of whole pages per slab.
constexpr SizeClass kClass = ClassOf(16384);
// Blocks that share pages.
constexpr SizeClass kOddClass = ClassOf(15360);

using Pools = SharedSlabPools<MidSlab, Index(kOddClass), Index(kClass) + 1>;

// --- Chunks ------------------------------------------------------------------

struct Chunks {
  Mutex mutex;
  bool is_used[kMaxChunks] = {};
};

Chunks& chunks = *new Chunks;
Pools& pools = *new Pools;

}  // namespace

ChunkSource::Allocation ChunkSource::Allocate(Use, size_t, size_t) {
  MutexLock lock(chunks.mutex);
  for (size_t c = 0; c < kMaxChunks; ++c) {
    if (std::exchange(chunks.is_used[c], true)) continue;
    return {kFirstChunk + c * kChunkBytes, false, false};
  }
  return {};
}

bool ChunkSource::MakeUsable(uintptr_t, size_t) { return true; }

void ChunkSource::Free(uintptr_t address, size_t, uint64_t) {
  MutexLock lock(chunks.mutex);
  model::GiveBack(address, kChunkBytes);
  chunks.is_used[(address - kFirstChunk) / kChunkBytes] = false;
}

bool ChunkSource::BecomeSparse(uintptr_t) {
  MutexLock lock(chunks.mutex);
  return true;
}

bool HugePages::AreWantedWhereDense() { return true; }
// Stands for the kernel's look at memory while every lock of the pools is free.
bool os::IsMostlyTouched(uintptr_t, size_t, size_t) {
  pools.Totals();
  return true;
}

namespace {

// --- Access to state that each run must reset --------------------------------

using ChunkPool = MetadataAllocator<SlabChunk<MidSlab>>;

// Explicit instantiation may name private members.
template <ChunkPool* kPool>
struct Expose {
  friend ChunkPool* PoolOfChunks() { return kPool; }
};
ChunkPool* PoolOfChunks();
template struct Expose<&SlabSource<MidSlab>::pool_>;

// --- Operations --------------------------------------------------------------

// The ends of a block; its middle is treated like them.
template <typename Visit>
void ForEachPlace(void* block, SizeClass c, Visit&& visit) {
  const auto address = reinterpret_cast<uintptr_t>(block);
  visit(address);
  visit(address + ClassBytes(c) - 16);
}

void* Take(SizeClass c = kClass) {
  void* block = nullptr;
  if (pools.Refill(c, &block, 1) == 0) model::Abort("no memory");
  ForEachPlace(block, c,
               [](uintptr_t place) { model::Hold(place, /*is_zero=*/false); });
  return block;
}

void Give(void* block, SizeClass c = kClass) {
  ForEachPlace(block, c, model::LetGo);
  pools.Drain(c, &block, 1);
}

void Purge() { pools.PurgeInside({InnerPurge::Which::kAll, 2, nullptr}); }

class MidPurgeModel : public testing::Test {
 protected:
  void SetUp() override {
    // Creates the pagemap's leaves, which stay for the whole process.
    for (size_t c = 0; c < kMaxChunks; ++c) {
      static Chunk chunk;
      ASSERT_TRUE(Pagemap::SetChunk(kFirstChunk + c * kChunkBytes, &chunk));
    }
    model::KeepMetadata();
  }

  // Fresh pools with chunks of `slabs` slabs.
  void Begin(size_t slabs) {
    for (size_t c = 0; c < kMaxChunks; ++c) {
      const uintptr_t chunk = kFirstChunk + c * kChunkBytes;
      Pagemap::SetChunk(chunk, nullptr);
      for (size_t i = 0; i < kSlabsPerChunk; ++i) {
        Pagemap::SetClass(chunk + i * kSlabBytes, SizeClass::kNone);
      }
    }
    model::BeginSystem();
    new (&chunks) Chunks;
    new (PoolOfChunks()) ChunkPool;
    new (&pools) Pools;
    options::internal::values[options::k_superslab_bytes].store(slabs *
                                                                kSlabBytes);
    options::internal::values[options::k_decay].store(0);
  }

  // After all threads: the metadata is consistent, and exactly the blocks not
  // freed are in use.
  static void RequireInvariants() {
    HeapVerifier check;
    pools.VerifyInvariants(check);
    size_t bytes = 0;
    for (const uintptr_t place : model::system_below.held) {
      // Each block has two places; one of them is its start.
      const SizeClass c = Pagemap::ClassAt(place);
      bytes += ClassBytes(c) / 2;
    }
    Require(pools.BlockBytes() == bytes, "a freed block is lost");
  }

  Result Run(const std::function<Threads()>& make, Options options = {}) {
    // Files whose accesses affect no decision.
    options.quiet_files = {"counters.h", "dirty_bytes.h", "options.h",
                           "single_thread.h"};
    return Explore(make, RequireInvariants, options);
  }
};

// A slab has free blocks between used ones; two threads purge them at once,
// while another allocates a block and frees one.
TEST_F(MidPurgeModel, TwoPurgeWhileBlocksAreTaken) {
  const Result result = Run([&] {
    Begin(/*slabs=*/2);
    void* first = Take();
    void* second = Take();
    Take();
    Give(second);
    return Threads{[] { Purge(); }, [] { Purge(); },
                   [=] {
                     Take();
                     Give(first);
                   }};
  });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
}

// The last used block of a slab is freed while its others are withdrawn for a
// purge: afterwards the slab is released, once.
TEST_F(MidPurgeModel, ASlabEmptiesWhileItIsPurged) {
  const Result result = Run([&] {
    Begin(/*slabs=*/3);
    std::vector<void*> blocks;
    for (int i = 0; i < 8; ++i) blocks.push_back(Take());
    for (int i = 1; i < 4; ++i) Give(blocks[i]);
    for (int i = 5; i < 8; ++i) Give(blocks[i]);
    return Threads{[] { Purge(); },
                   [=] {
                     Give(blocks[0]);
                     Give(blocks[4]);
                   },
                   [] {
                     pools.Collect(2, /*force=*/true);
                     Take();
                   }};
  });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
}

// When blocks share pages, only a run of free ones covers the shared pages: a
// block of the run is allocated, or the run grows, during the purge.
TEST_F(MidPurgeModel, BlocksThatSharePagesArePurgedTogetherOrNot) {
  const Result result = Run([&] {
    Begin(/*slabs=*/2);
    void* first = Take(kOddClass);
    void* second = Take(kOddClass);
    void* third = Take(kOddClass);
    Take(kOddClass);
    Give(second, kOddClass);
    return Threads{[] { Purge(); }, [=] { Give(third, kOddClass); },
                   [=] {
                     Take(kOddClass);
                     Give(first, kOddClass);
                   }};
  });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 50);
}

// The kernel refuses: the withdrawn blocks are free as before.
TEST_F(MidPurgeModel, WhatIsNotPurgedIsFreeAsBefore) {
  const Result result = Run([&] {
    Begin(/*slabs=*/2);
    void* first = Take();
    void* second = Take();
    Give(second);
    model::system_below.purges_fail = true;
    return Threads{[] {
                     Purge();
                     model::system_below.purges_fail = false;
                   },
                   [=] {
                     Take();
                     Give(first);
                   }};
  });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 3);
}

// Two threads need a ninth chunk, for which the eighth is sampled. Others use
// the pools meanwhile.
TEST_F(MidPurgeModel, NoLockIsHeldWhileAChunkIsSampled) {
  const Result result = Run([&] {
    Begin(/*slabs=*/1);
    std::vector<void*> blocks;
    for (int i = 0; i < 8 * 4; ++i) blocks.push_back(Take());
    return Threads{[] { Take(); },
                   [=] {
                     Give(blocks[0]);
                     Take();
                     Take();
                   }};
  });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 10);
}

}  // namespace
}  // namespace hakmem
