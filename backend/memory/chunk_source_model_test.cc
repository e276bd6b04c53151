// Runs the chunk source under every interleaving of a few operations, on a
// memory as weak as C11's (testing/interleaver). Chunks are purged without the
// lock while others are allocated and freed, and unused regions are unmapped.
// Each run ends with a check of the invariants (heap_verifier.h).

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <new>
#include <set>
#include <vector>

// First the replacements of atomics and locks.
#include "tests/interleaving/in_place_of_lock.h"
#include "tests/interleaving/in_place_of_std.h"
//
#include "backend/memory/chunk_source.cc"
#include "backend/memory/chunk_source_check.cc"
#include "backend/memory/model_system_test_helper.h"
#include "backend/memory/pagemap.cc"
#include "backend/memory/region_mapping.cc"

namespace hakmem {
namespace {

using interleaver::Explore;
using interleaver::Options;
using interleaver::Require;
using interleaver::Result;
using interleaver::Threads;

constexpr uintptr_t kFirstRegion = uintptr_t{1} << 40;
constexpr size_t kMaxRegions = 4;
constexpr size_t kMaxChunks = 8;  // of a region

constexpr uintptr_t RegionAddress(size_t region) {
  return kFirstRegion + region * kMaxChunks * kChunkBytes;
}

// --- Address space -----------------------------------------------------------

struct Space {
  std::set<uintptr_t> mapped;  // chunks
  std::set<uintptr_t> usable;
  size_t region_chunks = 0;  // of each region
  size_t regions = 0;        // made so far
  bool was_refused = false;
  Chunk chunk;  // the pagemap's entry for each chunk in use
};

Space& space = *new Space;

// Chunks withdrawn, over all runs.
size_t withdrawn = 0;

}  // namespace

os::Mapping os::Map(size_t bytes, size_t, Access access) {
  // No window: the pagemap keeps all classes in leaves.
  if (access == Access::kRead) return {0, ENOMEM};
  interleaver::Touch(&space);
  Require(space.regions < kMaxRegions, "too many regions");
  const uintptr_t address = RegionAddress(space.regions++);
  for (uintptr_t c = address; c < address + bytes; c += kChunkBytes) {
    space.mapped.insert(c);
  }
  return {address, 0};
}

int os::Unmap(uintptr_t address, size_t bytes) {
  interleaver::Touch(&space);
  for (uintptr_t c = address; c < address + bytes; c += kChunkBytes) {
    Require(!model::system_below.held.contains(c),
            "a chunk in use is unmapped");
    Require(space.mapped.erase(c) == 1, "a chunk is unmapped twice");
    space.usable.erase(c);
    model::system_below.memory[c] = 0;
  }
  return 0;
}

int os::AdviseNoHugePages(uintptr_t, size_t) { return 0; }
int os::Commit(uintptr_t address, size_t bytes) {
  Require(space.mapped.contains(address), "a chunk is not mapped");
  Require(bytes == kChunkBytes && space.usable.insert(address).second,
          "a chunk is made usable twice");
  return 0;
}

void os::Release(uintptr_t, size_t) {}

int os::Uncommit(uintptr_t address, size_t bytes) {
  for (uintptr_t c = address; c < address + bytes; c += kChunkBytes) {
    Require(!model::system_below.held.contains(c),
            "a chunk in use is withdrawn");
    Require(model::system_below.memory[c] == 0,
            "a chunk with something in it is withdrawn");
    ++withdrawn;
    Require(space.usable.erase(c) == 1, "a chunk is withdrawn twice");
  }
  return 0;
}

bool os::CommitIsStrict() { return false; }
bool os::WasRefusedUsable() { return space.was_refused; }
void os::ForgetRefusal() { space.was_refused = false; }

// Makes the chunk source reserve regions of region_chunks.
uint64_t os::AddressSpaceLimit() {
  return space.region_chunks * kChunkBytes * 1024;
}

void HugePages::AdviseFresh(uintptr_t, size_t) {}
bool HugePages::AdviseDense(uintptr_t, size_t) { return false; }
bool HugePages::AdviseSparse(uintptr_t, size_t) { return true; }

namespace {

// --- What threads do ---------------------------------------------------------

uintptr_t Allocate() {
  const ChunkSource::Allocation chunk =
      ChunkSource::Allocate(ChunkSource::Use::kSparse);
  Require(chunk.address != 0 && space.usable.contains(chunk.address),
          "a chunk is handed out that is not usable");
  model::Hold(chunk.address, chunk.is_zero);
  Pagemap::SetChunk(chunk.address, &space.chunk);
  return chunk.address;
}

void Free(uintptr_t chunk) {
  Pagemap::SetChunk(chunk, nullptr);
  model::LetGo(chunk);
  ChunkSource::Free(chunk, kChunkBytes, 1);
}

void Purge() { ChunkSource::Purge(2, /*force=*/true); }

class ChunkSourceModel : public testing::Test {
 protected:
  void SetUp() override {
    // Creates the pagemap's leaves, once for all runs.
    for (size_t r = 0; r < kMaxRegions; ++r) {
      ASSERT_TRUE(Pagemap::SetChunk(RegionAddress(r), &space.chunk));
    }
    model::KeepMetadata();
  }

  // Starts with an empty chunk source.
  void Begin(size_t region_chunks) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (size_t r = 0; r < kMaxRegions; ++r) {
      for (size_t c = 0; c < kMaxChunks; ++c) {
        Pagemap::SetChunk(RegionAddress(r) + c * kChunkBytes, nullptr);
      }
    }
    model::BeginSystem();
    new (&space) Space;
    space.region_chunks = region_chunks;
    new (&mutex) Mutex;
    new (&region_pool) MetadataAllocator<Region>;
    new (&regions) IntrusiveList<Region>;
    next_region_chunks = kFirstRegionChunks;
    bytes_reserved = 0;
    huge_page_trials = {};
  }

  // After all threads: checks the invariants, and that all free memory can be
  // returned.
  static void RequireInvariants() {
    HeapVerifier check;
    ChunkSource::VerifyInvariants(check);
    Require(check.tally.used_chunks == model::system_below.held.size(),
            "a freed chunk is in use");
    Require(ChunkSource::BytesReserved() == space.mapped.size() * kChunkBytes,
            "wrong sum of address space");
    Purge();
    for (const auto& [chunk, memory] : model::system_below.memory) {
      Require(memory == 0 || model::system_below.held.contains(chunk),
              "free memory stays resident");
    }
    const std::set<uintptr_t> still_held = model::system_below.held;
    for (const uintptr_t chunk : still_held) Free(chunk);
    Purge();
    Require(ChunkSource::BytesReserved() == 0 && space.mapped.empty(),
            "an unused region stays mapped");
  }

  Result Run(const std::function<Threads()>& make, Options options = {}) {
    // Files whose operations do not affect the outcome.
    options.quiet_files = {"counters.h",      "dirty_bytes.h",   "options.h",
                           "chunk_source.cc", "single_thread.h", "pagemap.h",
                           "pagemap.cc"};
    return Explore(make, RequireInvariants, options);
  }
};

// Two chunks of one region are free. Two threads purge them while a third
// allocates one, if it is free at that moment, and frees it again.
TEST_F(ChunkSourceModel, TwoPurgeWhileAChunkIsTaken) {
  const Result result = Run([&] {
    Begin(/*region_chunks=*/4);
    const uintptr_t first = Allocate();
    const uintptr_t second = Allocate();
    const uintptr_t third = Allocate();
    Free(first);
    Free(third);
    return Threads{[] { Purge(); }, [] { Purge(); },
                   [=] {
                     Free(Allocate());
                     Free(second);
                   }};
  });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 50);
}

// Regions of one chunk: once it is purged, the region is unmapped, and a thread
// that needs a chunk adds a region.
TEST_F(ChunkSourceModel, ARegionIsUnmappedWhileChunksAreTaken) {
  const Result result = Run([&] {
    Begin(/*region_chunks=*/1);
    const uintptr_t first = Allocate();
    const uintptr_t second = Allocate();
    Free(first);
    return Threads{[] { Purge(); },
                   [=] {
                     Free(second);
                     Purge();
                   },
                   [] { Allocate(); }};
  });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 50);
}

// After a refusal free chunks are withdrawn, and made usable again for threads
// that allocate meanwhile.
TEST_F(ChunkSourceModel, FreeChunksAreWithdrawnWhileChunksAreTaken) {
  const Result result = Run([&] {
    Begin(/*region_chunks=*/4);
    const uintptr_t first = Allocate();
    const uintptr_t second = Allocate();
    const uintptr_t third = Allocate();
    Free(first);
    space.was_refused = true;
    return Threads{[] { Purge(); },
                   [=] {
                     Free(third);
                     Allocate();
                     Free(second);
                   },
                   [] { Purge(); }};
  });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 50);
  EXPECT_GE(withdrawn, result.runs);
}

// The kernel refuses to purge: the chunks stay free and resident.
TEST_F(ChunkSourceModel, WhatIsNotPurgedIsFreeAsBefore) {
  const Result result = Run([&] {
    Begin(/*region_chunks=*/3);
    const uintptr_t first = Allocate();
    const uintptr_t second = Allocate();
    Free(first);
    model::system_below.purges_fail = true;
    return Threads{[] {
                     Purge();
                     model::system_below.purges_fail = false;
                   },
                   [=] {
                     Allocate();
                     Free(second);
                   }};
  });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 3);
}

}  // namespace
}  // namespace hakmem
