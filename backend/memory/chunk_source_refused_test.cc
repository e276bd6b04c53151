// The chunk source when the system refuses: it asks for less, gives up what
// counts against a limit, and reports truthfully whether chunks are dense.

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "backend/memory/chunk_source.h"
#include "base/os/calls/injected/fault_control.h"
#include "base/os/os_memory.h"

namespace hakmem {
namespace {

using Use = ChunkSource::Use;

char* At(uintptr_t address) { return reinterpret_cast<char*>(address); }

// Whether the process may write to `address`.
bool IsUsable(uintptr_t address) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    char read = 0;
    char write = 0;
    if (std::sscanf(line.c_str(), "%zx-%zx %c%c", &begin, &end, &read,
                    &write) == 4 &&
        begin <= address && address < end) {
      return write == 'w';
    }
  }
  return false;
}

class ChunkSourceRefused : public testing::Test {
 protected:
  ChunkSourceRefused() {
    ChunkSource::Purge(0, /*force=*/true);
    os::ForgetRefusal();
  }
  ~ChunkSourceRefused() override {
    hakmem_test_fail_os_calls(0, 0);
    hakmem_test_refuse_maps_above(0);
    hakmem_test_limit_commit(UINT64_MAX);
    for (const uintptr_t chunk : chunks_) Free(chunk, 0);
    ChunkSource::Purge(0, /*force=*/true);
  }

  uintptr_t Take() {
    const uintptr_t chunk = ChunkSource::Allocate(Use::kSparse).address;
    if (chunk != 0) chunks_.insert(chunk);
    return chunk;
  }
  void GiveBack(uintptr_t chunk, size_t dirty_bytes) {
    chunks_.erase(chunk);
    Free(chunk, dirty_bytes);
  }
  static void Free(uintptr_t chunk, size_t dirty_bytes) {
    ChunkSource::Free(chunk, dirty_bytes, 0);
  }

  std::set<uintptr_t> chunks_;
};

TEST_F(ChunkSourceRefused, AsksForLessAddressSpaceUntilItIsGiven) {
  for (const size_t most : {size_t{9} << 20, 2 * kChunkBytes, kChunkBytes}) {
    hakmem_test_refuse_maps_above(most);
    const size_t reserved = ChunkSource::BytesReserved();
    while (ChunkSource::BytesReserved() == reserved) ASSERT_NE(Take(), 0u);
    EXPECT_GT(ChunkSource::BytesReserved() - reserved, most / 2);
    EXPECT_LE(ChunkSource::BytesReserved() - reserved, most);
  }
  hakmem_test_refuse_maps_above(kChunkBytes - 1);
  const size_t reserved = ChunkSource::BytesReserved();
  while (Take() != 0) {
  }
  EXPECT_EQ(ChunkSource::BytesReserved(), reserved);
  hakmem_test_refuse_maps_above(0);
  EXPECT_NE(Take(), 0u);
}

TEST_F(ChunkSourceRefused, FreeChunksStayUsableWhileNothingIsRefused) {
  const uintptr_t kept = Take();
  const uintptr_t chunk = Take();
  ASSERT_TRUE(kept != 0 && chunk != 0);
  GiveBack(chunk, kChunkBytes);
  ChunkSource::Purge(0, /*force=*/true);
  EXPECT_TRUE(IsUsable(chunk));
}

TEST_F(ChunkSourceRefused, FreeChunksAreWithdrawnAfterARefusalAndComeBack) {
  uintptr_t row[8];
  for (uintptr_t& chunk : row) {
    chunk = Take();
    ASSERT_NE(chunk, 0u);
    memset(At(chunk), 1, kChunkBytes);
  }
  for (const size_t i : {2, 3, 5}) GiveBack(row[i], kChunkBytes);
  hakmem_test_fail_os_calls(1, 1);
  EXPECT_FALSE(os::Map(kChunkBytes, os::PageBytes(), os::Access::kReadWrite));
  ChunkSource::Purge(0, /*force=*/false);
  EXPECT_TRUE(IsUsable(row[2]));
  ChunkSource::Purge(0, /*force=*/true);
  for (const size_t i : {2, 3, 5}) EXPECT_FALSE(IsUsable(row[i])) << i;
  for (const size_t i : {1, 4, 6}) EXPECT_EQ(At(row[i])[kChunkBytes - 1], 1);

  // They are handed out next, before more of the region is used.
  std::set<uintptr_t> again;
  for (int i = 0; i < 3; ++i) {
    const ChunkSource::Allocation chunk = ChunkSource::Allocate(Use::kSparse);
    ASSERT_NE(chunk.address, 0u);
    EXPECT_TRUE(chunk.is_zero);
    EXPECT_EQ(At(chunk.address)[0], 0);
    memset(At(chunk.address), 2, kChunkBytes);
    again.insert(chunk.address);
    chunks_.insert(chunk.address);
  }
  EXPECT_EQ(again, (std::set<uintptr_t>{row[2], row[3], row[5]}));
  EXPECT_EQ(At(row[4])[0], 1);
}

TEST_F(ChunkSourceRefused, AChunkThatCannotBeTakenAloneBringsItsHole) {
  uintptr_t row[8];
  for (uintptr_t& chunk : row) ASSERT_NE(chunk = Take(), 0u);
  for (const size_t i : {2, 3, 4}) GiveBack(row[i], 0);
  hakmem_test_fail_os_calls(1, 1);
  EXPECT_FALSE(os::Map(kChunkBytes, os::PageBytes(), os::Access::kReadWrite));
  ChunkSource::Purge(0, /*force=*/true);
  ASSERT_FALSE(IsUsable(row[2]));
  hakmem_test_fail_os_calls(1, 1);
  EXPECT_EQ(Take(), row[2]);
  EXPECT_TRUE(IsUsable(row[3]) && IsUsable(row[4]));
}

// A chunk that is already usable is found, in whichever region it is.
TEST_F(ChunkSourceRefused, WhatIsUsableServesWhenNothingElseIsGiven) {
  for (const size_t most : {kChunkBytes * 4, kChunkBytes * 4}) {
    hakmem_test_refuse_maps_above(most);
    const size_t reserved = ChunkSource::BytesReserved();
    while (ChunkSource::BytesReserved() == reserved) ASSERT_NE(Take(), 0u);
  }
  for (const uintptr_t chunk : std::set<uintptr_t>(chunks_)) {
    GiveBack(chunk, 0);
    hakmem_test_fail_os_calls(1, UINT64_MAX);
    EXPECT_NE(Take(), 0u);
    hakmem_test_fail_os_calls(0, 0);
    if (HasFailure()) return;
  }
}

TEST_F(ChunkSourceRefused, AChunkIsDenseUntilTheKernelAgreesThatItIsNot) {
  const ChunkSource::Allocation chunk = ChunkSource::Allocate(Use::kDense);
  ASSERT_NE(chunk.address, 0u);
  chunks_.insert(chunk.address);
  if (!chunk.is_dense) GTEST_SKIP() << "the kernel has no huge pages";
  hakmem_test_fail_os_calls(1, 1);
  EXPECT_FALSE(ChunkSource::BecomeSparse(chunk.address));
  EXPECT_STREQ(hakmem_test_failed_call(), "madvise");
  // Handed out again as sparse: the result still says that it is dense.
  GiveBack(chunk.address, kChunkBytes);
  hakmem_test_fail_os_calls(1, 1);
  const ChunkSource::Allocation again = ChunkSource::Allocate(Use::kSparse);
  ASSERT_EQ(again.address, chunk.address);
  chunks_.insert(again.address);
  EXPECT_TRUE(again.is_dense);
  EXPECT_TRUE(ChunkSource::BecomeSparse(chunk.address));
}

}  // namespace
}  // namespace hakmem
