#include "backend/memory/chunk_source.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "backend/memory/dirty_bytes.h"
#include "base/text/options.h"

namespace hakmem {
namespace {

char* At(uintptr_t address) { return reinterpret_cast<char*>(address); }

ChunkSource::Allocation Allocate(
    ChunkSource::Use use = ChunkSource::Use::kSparse) {
  return ChunkSource::Allocate(use);
}

// Whether the kernel's mapping around `address` has `flag` (proc(5), VmFlags).
bool HasFlag(uintptr_t address, const std::string& flag) {
  std::ifstream smaps("/proc/self/smaps");
  bool is_around = false;
  for (std::string line; std::getline(smaps, line);) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%zx-%zx ", &begin, &end) == 2) {
      is_around = begin <= address && address < end;
    } else if (is_around && line.starts_with("VmFlags:")) {
      return (line + " ").find(" " + flag + " ") != std::string::npos;
    }
  }
  return false;
}

TEST(ChunkSource, ChunksAreAlignedUsableZeroAndApart) {
  std::set<uintptr_t> chunks;
  for (int i = 0; i < 60; ++i) {  // more than two regions
    const ChunkSource::Allocation a = Allocate();
    ASSERT_NE(a.address, 0u);
    ASSERT_EQ(a.address % kChunkBytes, 0u);
    ASSERT_TRUE(chunks.insert(a.address).second);
    if (a.is_zero) {
      ASSERT_EQ(At(a.address)[0], 0);
      ASSERT_EQ(At(a.address)[kChunkBytes - 1], 0);
    }
    At(a.address)[0] = At(a.address)[kChunkBytes - 1] = 1;
  }
  for (const uintptr_t chunk : chunks) ChunkSource::Free(chunk, kChunkBytes, 0);
  ChunkSource::Purge(0, /*force=*/true);
}

TEST(ChunkSource, AFreedChunkIsReusedWhileResident) {
  const uintptr_t chunk = Allocate().address;
  const uintptr_t other = Allocate().address;
  ChunkSource::Free(chunk, 4096, 0);
  const ChunkSource::Allocation again = Allocate();
  EXPECT_EQ(again.address, chunk);
  EXPECT_FALSE(again.is_zero);
  ChunkSource::Free(chunk, 0, 0);
  ChunkSource::Free(other, 0, 0);
}

TEST(ChunkSource, PurgesWhatIsDueAndOnlyThat) {
  ChunkSource::Purge(0, /*force=*/true);
  const uintptr_t kept = Allocate().address;
  const uintptr_t a = Allocate().address;
  const uintptr_t b = Allocate().address;
  memset(At(a), 1, kChunkBytes);
  memset(At(b), 1, kChunkBytes);
  const size_t before = DirtyBytes::Bytes();
  const uint64_t decay = options::Get(options::k_decay);
  ChunkSource::Free(a, kChunkBytes, 1000);
  ChunkSource::Free(b, kChunkBytes, 1500);
  EXPECT_EQ(DirtyBytes::Bytes(), before + 2 * kChunkBytes);
  EXPECT_EQ(ChunkSource::Purge(999 + decay, /*force=*/false), 0u);
  EXPECT_EQ(ChunkSource::Purge(1000 + decay, /*force=*/false), kChunkBytes);
  EXPECT_EQ(ChunkSource::Purge(1000 + decay, /*force=*/false), 0u);
  EXPECT_EQ(ChunkSource::Purge(1500 + decay, /*force=*/false), kChunkBytes);
  EXPECT_EQ(DirtyBytes::Bytes(), before);
  EXPECT_EQ(At(a)[5], 0);
  ChunkSource::Free(kept, 0, 0);
}

TEST(ChunkSource, PurgesExcessWhateverItsAge) {
  ChunkSource::Purge(0, /*force=*/true);
  const uintptr_t kept = Allocate().address;
  std::vector<uintptr_t> chunks;
  for (int i = 0; i < 6; ++i) chunks.push_back(Allocate().address);
  for (const uintptr_t chunk : chunks) {
    ChunkSource::Free(chunk, kChunkBytes, 1000);
  }
  // What other parts keep does not count: it cannot be purged here.
  DirtyBytes::Add(100 * kChunkBytes);
  PurgeBudget endless(UINT64_MAX / 2);
  EXPECT_EQ(ChunkSource::PurgeExcess(6 * kChunkBytes, &endless), 0u);
  EXPECT_EQ(ChunkSource::PurgeExcess(4 * kChunkBytes, &endless),
            2 * kChunkBytes);
  EXPECT_EQ(DirtyBytes::OfChunks(), 4 * kChunkBytes);
  PurgeBudget spent(0);
  EXPECT_EQ(ChunkSource::PurgeExcess(0, &spent), 0u);
  EXPECT_EQ(ChunkSource::PurgeExcess(0, &endless), 4 * kChunkBytes);
  EXPECT_EQ(DirtyBytes::OfChunks(), 0u);
  DirtyBytes::Subtract(100 * kChunkBytes);
  ChunkSource::Free(kept, 0, 0);
}

TEST(ChunkSource, UnusedRegionsAreUnmappedWhenForced) {
  std::vector<uintptr_t> chunks;
  for (int i = 0; i < 100; ++i) chunks.push_back(Allocate().address);
  const size_t reserved = ChunkSource::BytesReserved();
  for (const uintptr_t chunk : chunks) ChunkSource::Free(chunk, 0, 0);
  ChunkSource::Purge(0, /*force=*/true);
  EXPECT_LT(ChunkSource::BytesReserved(), reserved);
}

// Chunks that are being purged are neither free nor lost.
TEST(ChunkSource, AllocatesWhileAnotherThreadPurges) {
  // Fills a region, so that the chunks below are the only free ones in it.
  std::vector<uintptr_t> held = {Allocate().address};
  const size_t reserved = ChunkSource::BytesReserved();
  while (ChunkSource::BytesReserved() == reserved) {
    held.push_back(Allocate().address);
    ASSERT_NE(held.back(), 0u);
  }
  std::atomic<bool> done{false};
  std::atomic<int> purges{0};
  std::thread purger([&] {
    while (!done) purges += ChunkSource::Purge(0, /*force=*/true) != 0;
  });
  while (purges < 100 && !HasFailure()) {
    uintptr_t& chunk = held[held.size() / 2];
    memset(At(chunk), 1, 16 << 10);
    ChunkSource::Free(chunk, 16 << 10, 0);
    chunk = Allocate().address;
    EXPECT_NE(chunk, 0u);
  }
  done = true;
  purger.join();
  for (const uintptr_t chunk : held) ChunkSource::Free(chunk, 0, 0);
}

TEST(ChunkSource, ThreadsNeverShareAChunk) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int round = 0; round < 300; ++round) {
        std::vector<uintptr_t> mine;
        for (int i = 0; i < 5; ++i) {
          mine.push_back(Allocate().address);
          At(mine.back())[0] = static_cast<char>(t + 1);
        }
        for (const uintptr_t chunk : mine) {
          ASSERT_EQ(At(chunk)[0], t + 1);
          ChunkSource::Free(chunk, 4096, 0);
        }
        if (round % 50 == 0) ChunkSource::Purge(0, /*force=*/true);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(ChunkSource, ADenseChunkHasHugePagesUntilItIsNoLongerDense) {
  const ChunkSource::Allocation dense = Allocate(ChunkSource::Use::kDense);
  ASSERT_NE(dense.address, 0u);
  if (!dense.is_dense) GTEST_SKIP() << "the kernel has no huge pages";
  EXPECT_TRUE(HasFlag(dense.address, "hg"));
  ChunkSource::BecomeSparse(dense.address);
  EXPECT_FALSE(HasFlag(dense.address, "hg"));
  EXPECT_TRUE(HasFlag(dense.address, "nh"));
  ChunkSource::BecomeSparse(dense.address);  // no effect
  EXPECT_TRUE(HasFlag(dense.address, "nh"));
  ChunkSource::Free(dense.address, 0, 0);
}

TEST(ChunkSource, WhatAChunkWasLastTimeDoesNotMatter) {
  // Purges all free chunks, so that the chunk below is the next one allocated.
  std::vector<uintptr_t> held = {Allocate().address};
  ChunkSource::Purge(0, /*force=*/true);
  const ChunkSource::Allocation first = Allocate(ChunkSource::Use::kDense);
  if (!first.is_dense) GTEST_SKIP() << "the kernel has no huge pages";
  ChunkSource::Free(first.address, kChunkBytes, 0);
  const ChunkSource::Allocation second = Allocate();
  ASSERT_EQ(second.address, first.address);
  EXPECT_FALSE(second.is_dense);
  EXPECT_FALSE(HasFlag(second.address, "hg"));
  ChunkSource::Free(second.address, kChunkBytes, 0);
  const ChunkSource::Allocation third = Allocate(ChunkSource::Use::kDense);
  ASSERT_EQ(third.address, first.address);
  EXPECT_TRUE(third.is_dense);
  EXPECT_TRUE(HasFlag(third.address, "hg"));
  ChunkSource::Free(third.address, 0, 0);
  ChunkSource::Free(held[0], 0, 0);
}

}  // namespace
}  // namespace hakmem
