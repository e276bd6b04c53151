#include "backend/memory/pagemap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

namespace hakmem {
namespace {

TEST(Pagemap, KnowsNothingOfAddressesNeverEntered) {
  std::mt19937_64 random(1);
  EXPECT_EQ(Pagemap::ClassAt(0), SizeClass::kNone);
  EXPECT_EQ(Pagemap::ChunkAt(0), nullptr);
  for (int i = 0; i < 100'000; ++i) {
    // Any 64 bits at all: a program may pass anything to free.
    const uintptr_t address = random();
    ASSERT_EQ(Pagemap::ChunkAt(address), nullptr);
    ASSERT_EQ(Pagemap::ClassAt(address), SizeClass::kNone);
    ASSERT_FALSE(Pagemap::IsInWindow(Pagemap::Window{}, address));
    const uintptr_t user = address >> (64 - Pagemap::kAddressBits);
    ASSERT_EQ(Pagemap::ClassAt(user), SizeClass::kNone);
  }
}

TEST(Pagemap, AnswersForEveryAddressOfAChunkAndNoOther) {
  Chunk chunk;
  // The last chunk of one leaf and the first of the next.
  for (const uintptr_t base :
       {(uintptr_t{5} << Pagemap::kLeafShift) - kChunkBytes,
        uintptr_t{5} << Pagemap::kLeafShift}) {
    ASSERT_TRUE(Pagemap::SetChunk(base, &chunk));
    const uintptr_t slab = base + 3 * (uintptr_t{1} << 16);
    Pagemap::SetClass(slab, SizeClass{7});
    for (uintptr_t a = base; a < base + kChunkBytes; a += 997) {
      ASSERT_EQ(Pagemap::ChunkAt(a), &chunk);
      ASSERT_EQ(Pagemap::ClassAt(a), a >= slab && a < slab + 65536
                                         ? SizeClass{7}
                                         : SizeClass::kNone);
    }
    EXPECT_EQ(Pagemap::ChunkAt(base - 1), nullptr);
    EXPECT_EQ(Pagemap::ChunkAt(base + kChunkBytes), nullptr);
    // The same low bits beyond user space.
    EXPECT_EQ(Pagemap::ChunkAt(base | uintptr_t{1} << 63), nullptr);
    Pagemap::SetClass(slab, SizeClass::kNone);
    ASSERT_TRUE(Pagemap::SetChunk(base, nullptr));
    EXPECT_EQ(Pagemap::ChunkAt(base), nullptr);
  }
}

// Address spaces of so many bits: their last chunks, where kernels begin to
// allocate, and the first chunk beyond. 38, 41, 46, 47, 51, 55 and 56 bits are
// the user's part of 39, 42, 47, 48, 52 and 57 bits, the highest of which
// belongs to the kernel on some processors.
class AddressSpaces : public testing::TestWithParam<int> {};

TEST_P(AddressSpaces, EveryChunkIsFoundAndNothingBesideIt) {
  const uintptr_t end = uintptr_t{1} << GetParam();
  std::vector<uintptr_t> bases = {end - kChunkBytes, end - 3 * kChunkBytes,
                                  end / 2, end / 4 * 3};
  if (GetParam() < Pagemap::kAddressBits) bases.push_back(end);
  std::vector<Chunk> chunks(bases.size());
  for (size_t i = 0; i < bases.size(); ++i) {
    EXPECT_EQ(Pagemap::ChunkAt(bases[i]), nullptr);
    ASSERT_TRUE(Pagemap::SetChunk(bases[i], &chunks[i]));
    Pagemap::SetClass(bases[i] + 65536, SizeClass{3});
  }
  for (size_t i = 0; i < bases.size(); ++i) {
    const uintptr_t base = bases[i];
    EXPECT_EQ(Pagemap::ChunkAt(base), &chunks[i]);
    EXPECT_EQ(Pagemap::ChunkAt(base + kChunkBytes - 1), &chunks[i]);
    EXPECT_EQ(Pagemap::ClassAt(base + 65535), SizeClass::kNone);
    EXPECT_EQ(Pagemap::ClassAt(base + 65536), SizeClass{3});
    EXPECT_EQ(Pagemap::ClassAt(base + 131071), SizeClass{3});
    EXPECT_EQ(Pagemap::ClassAt(base + 131072), SizeClass::kNone);
    // Neighbours, tagged pointers, addresses with one bit flipped.
    if (base != end) {
      EXPECT_EQ(Pagemap::ChunkAt(base - kChunkBytes), nullptr);
    }
    for (int bit = kChunkShift; bit < 64; ++bit) {
      const uintptr_t other = base ^ uintptr_t { 1 } << bit;
      if (std::find(bases.begin(), bases.end(), other) != bases.end()) continue;
      EXPECT_EQ(Pagemap::ChunkAt(other), nullptr) << bit;
      EXPECT_EQ(Pagemap::ClassAt(other + 65536), SizeClass::kNone) << bit;
    }
  }
  for (const uintptr_t base : bases) {
    Pagemap::SetClass(base + 65536, SizeClass::kNone);
    ASSERT_TRUE(Pagemap::SetChunk(base, nullptr));
    EXPECT_EQ(Pagemap::ChunkAt(base), nullptr);
    EXPECT_EQ(Pagemap::ClassAt(base + 65536), SizeClass::kNone);
  }
}

INSTANTIATE_TEST_SUITE_P(Bits, AddressSpaces,
                         testing::Values(38, 39, 41, 42, 46, 47, 48, 51, 52, 55,
                                         56, 57));

// A free looks up any address in the window, entered or not.
TEST(Pagemap, EveryClassOfTheWindowCanBeRead) {
  const Pagemap::Window& window = Pagemap::PlaceWindow(0);
  ASSERT_NE(window.granules, 0u);
  for (size_t granule = 0; granule < window.granules; granule += 509) {
    const uintptr_t address = window.base + (granule << Pagemap::kGranuleShift);
    ASSERT_TRUE(Pagemap::IsInWindow(window, address));
    ASSERT_EQ(Pagemap::ClassInWindow(window, address), SizeClass::kNone);
  }
  EXPECT_FALSE(Pagemap::IsInWindow(window, window.base - 1));
  EXPECT_FALSE(Pagemap::IsInWindow(
      window, window.base + (window.granules << Pagemap::kGranuleShift)));
}

TEST(Pagemap, RefusesWhatNoProcessHas) {
  Chunk chunk;
  for (int bit = Pagemap::kAddressBits; bit < 64; ++bit) {
    const uintptr_t address = uintptr_t{1} << bit;
    EXPECT_FALSE(Pagemap::SetChunk(address, &chunk));
    EXPECT_TRUE(Pagemap::SetChunk(address, nullptr));
    EXPECT_EQ(Pagemap::ChunkAt(address), nullptr);
    EXPECT_EQ(Pagemap::ClassAt(address), SizeClass::kNone);
  }
}

TEST(Pagemap, ThreadsThatEnterTheFirstHighChunksAtOnceLoseNone) {
  constexpr size_t kThreads = 4;
  constexpr size_t kEach = 64;
  // No other test enters chunks here. Neighbours in a leaf, one per thread, and
  // the next leaf in the next node.
  const auto address_of = [](size_t thread, size_t i) {
    return (uintptr_t{11} << 50) + (i << 38) + thread * kChunkBytes;
  };
  std::vector<Chunk> chunks(kThreads * kEach);
  std::atomic<size_t> ready = 0;
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      ++ready;
      while (ready < kThreads) std::this_thread::yield();
      for (size_t i = 0; i < kEach; ++i) {
        EXPECT_TRUE(
            Pagemap::SetChunk(address_of(t, i), &chunks[t * kEach + i]));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t t = 0; t < kThreads; ++t) {
    for (size_t i = 0; i < kEach; ++i) {
      EXPECT_EQ(Pagemap::ChunkAt(address_of(t, i)), &chunks[t * kEach + i]);
      EXPECT_TRUE(Pagemap::SetChunk(address_of(t, i), nullptr));
    }
  }
}

}  // namespace
}  // namespace hakmem
