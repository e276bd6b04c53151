// Both back-ends, held to the same contract.

#include "backend/backend.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "backend/memory/chunk_source.h"
#include "backend/memory/pagemap.h"
#include "backend/segment/segment.h"
#include "backend/superslab/superslab.h"

namespace hakmem {
namespace {

constexpr uint32_t kBatch = 32;

SizeClass ClassNumber(size_t c) { return SizeClass{static_cast<uint8_t>(c)}; }

uintptr_t AddressOf(void* block) { return reinterpret_cast<uintptr_t>(block); }

template <typename B>
class BackendTest : public testing::Test {
 protected:
  using Heap = typename B::Heap;

  void SetUp() override {
    heap_ = B::Attach();
    ASSERT_NE(heap_, nullptr);
    CollectAll();
    before_ = B::Totals();
  }

  // Whatever a test did, the heap must verify after it.
  void TearDown() override {
    B::Detach(heap_);
    CollectAll();
    EXPECT_EQ(B::Totals().block_bytes, before_.block_bytes);
    EXPECT_EQ(B::Totals().slabs, before_.slabs);
    EXPECT_LE(B::Totals().chunks, before_.chunks);
    EXPECT_EQ(B::Totals().committed_bytes, before_.committed_bytes);
  }

  static void CollectAll() {
    for (int round = 0; round < 2; ++round) {
      B::Collect(0, /*force=*/true);
      ChunkSource::Purge(0, /*force=*/true);
    }
  }

  std::vector<void*> Take(SizeClass c, size_t count) {
    std::vector<void*> blocks;
    while (blocks.size() < count) {
      void* batch[kBatch];
      const uint32_t n =
          B::Refill(heap_, c, batch,
                    std::min<uint32_t>(
                        kBatch, static_cast<uint32_t>(count - blocks.size())));
      if (n == 0) ADD_FAILURE() << "refused";
      blocks.insert(blocks.end(), batch, batch + n);
    }
    return blocks;
  }

  void Give(SizeClass c, std::vector<void*> blocks) { Give(heap_, c, blocks); }

  static void Give(Heap* heap, SizeClass c, std::vector<void*>& blocks) {
    for (size_t i = 0; i < blocks.size(); i += kBatch) {
      B::Drain(
          heap, c, blocks.data() + i,
          static_cast<uint32_t>(std::min<size_t>(kBatch, blocks.size() - i)));
    }
    blocks.clear();
  }

  Heap* heap_ = nullptr;
  SlabTotals before_;
};

struct Names {
  template <typename B>
  static std::string GetName(int) {
    return B::kName;
  }
};

using Backends = testing::Types<SegmentBackend, SuperSlabBackend>;
TYPED_TEST_SUITE(BackendTest, Backends, Names);

TYPED_TEST(BackendTest, BlocksAreApartAlignedAndKnownToTheMap) {
  for (size_t c = 1; c < kTinyClassCount; ++c) {
    const SizeClass size_class = ClassNumber(c);
    const uint32_t bytes = ClassBytes(size_class);
    // More than a slab full.
    std::vector<void*> blocks =
        this->Take(size_class, kSlabBytes / bytes + kBatch);
    std::map<uintptr_t, int> seen;
    for (void* block : blocks) {
      ASSERT_EQ(AddressOf(block) % kBlockAlignment, 0u);
      ASSERT_EQ(Pagemap::ClassAt(AddressOf(block)), size_class);
      const Slab* slab = TypeParam::SlabAt(AddressOf(block));
      ASSERT_NE(slab->BlockAt(AddressOf(block)), Slab::kNotABlock);
      memset(block, static_cast<int>(c), bytes);
      ASSERT_EQ(seen[AddressOf(block)]++, 0);
    }
    for (auto it = seen.begin(); std::next(it) != seen.end(); ++it) {
      ASSERT_GE(std::next(it)->first, it->first + bytes);
    }
    ASSERT_EQ(TypeParam::Totals().block_bytes - this->before_.block_bytes,
              blocks.size() * bytes);
    this->Give(size_class, blocks);
  }
}

TYPED_TEST(BackendTest, ABatchHasItsLowestAddressLast) {
  void* batch[kBatch];
  const SizeClass c = ClassOf(64);
  const uint32_t n = TypeParam::Refill(this->heap_, c, batch, kBatch);
  ASSERT_EQ(n, kBatch);
  for (uint32_t i = 1; i < n; ++i) ASSERT_LT(batch[i], batch[i - 1]);
  TypeParam::Drain(this->heap_, c, batch, n);
}

// Blocks for a thread's first batch of a small class fill whole cache lines,
// also where a slab has holes.
TYPED_TEST(BackendTest, BlocksApartFillWholeCacheLines) {
  for (const uint32_t bytes : {16, 32, 48}) {
    const SizeClass c = ClassOf(bytes);
    std::vector<void*> others = this->Take(c, 300);
    for (size_t i = 0; i < others.size(); ++i) {
      if (i % 3 != 0 && i < 200) continue;
      TypeParam::Drain(this->heap_, c, &others[i], 1);
      others[i] = nullptr;
    }
    void* apart[kBatch];
    const uint32_t n = TypeParam::RefillApart(this->heap_, c, apart, kBatch);
    EXPECT_EQ(n, TypeParam::kSharesFreeBlocks ? kBatch : 0u);
    std::map<uintptr_t, uint32_t> lines;
    for (uint32_t i = 0; i < n; ++i) {
      EXPECT_TRUE(i == 0 || apart[i] < apart[i - 1]);
      const uintptr_t end = AddressOf(apart[i]) + bytes;
      for (uintptr_t at = AddressOf(apart[i]); at < end; at += 16) {
        lines[at / 64] += 16;
      }
    }
    for (const auto& [line, filled] : lines) EXPECT_EQ(filled, 64u) << bytes;
    TypeParam::Drain(this->heap_, c, apart, n);
    std::erase(others, nullptr);
    this->Give(c, others);
  }
}

TYPED_TEST(BackendTest, EmptiedMemoryIsGivenBack) {
  const SizeClass c = ClassOf(256);
  std::vector<void*> blocks = this->Take(c, (32 << 20) / 256);
  for (void* block : blocks) memset(block, 1, 256);
  EXPECT_GE(TypeParam::Totals().chunks - this->before_.chunks, 16u);
  this->Give(c, blocks);
  this->CollectAll();
  // One spare chunk may stay.
  EXPECT_LE(TypeParam::Totals().committed_bytes, this->before_.committed_bytes);
}

TYPED_TEST(BackendTest, OneClassEmptiedServesAnother) {
  const SizeClass small = ClassOf(32);
  const SizeClass big = ClassOf(2048);
  this->Give(small, this->Take(small, (8 << 20) / 32));
  const uint64_t chunks = TypeParam::Totals().chunks;
  std::vector<void*> blocks = this->Take(big, (6 << 20) / 2048);
  EXPECT_LE(TypeParam::Totals().chunks, std::max<uint64_t>(chunks, 4));
  this->Give(big, blocks);
}

TYPED_TEST(BackendTest, FullestSlabsAreUsedFirst) {
  const SizeClass c = ClassOf(1024);
  const uint32_t per_slab = kSlabBytes / 1024;
  std::vector<void*> blocks = this->Take(c, 2 * per_slab);
  std::sort(blocks.begin(), blocks.end());
  // All but one of the first slab's blocks go back, and one of the second's.
  std::vector<void*> back(blocks.begin() + 1, blocks.begin() + per_slab);
  back.push_back(blocks.back());
  blocks.erase(blocks.end() - 1);
  blocks.erase(blocks.begin() + 1, blocks.begin() + per_slab);
  void* expected = back.back();
  this->Give(c, back);
  void* block;
  ASSERT_EQ(TypeParam::Refill(this->heap_, c, &block, 1), 1u);
  EXPECT_EQ(block, expected);
  blocks.push_back(block);
  this->Give(c, blocks);
}

TYPED_TEST(BackendTest, VisitsEverySlabInUse) {
  const SizeClass c = ClassOf(48);
  std::vector<void*> blocks = this->Take(c, 3000);
  struct Seen {
    uint64_t blocks_in_use = 0;
  } seen;
  TypeParam::VisitSlabs(
      [](const Slab& slab, uint64_t, void* argument) {
        if (slab.size_class == ClassOf(48)) {
          static_cast<Seen*>(argument)->blocks_in_use +=
              slab.block_count - slab.free_count;
        }
      },
      &seen);
  EXPECT_EQ(seen.blocks_in_use, blocks.size());
  this->Give(c, blocks);
}

// Model: the blocks held, by address, with the byte each is filled with.
TYPED_TEST(BackendTest, AgreesWithAModelOverRandomOperations) {
  using B = TypeParam;
  std::mt19937 random(3);
  struct Held {
    SizeClass size_class;
    char fill;
  };
  std::map<uintptr_t, Held> held;
  // A second heap takes back some of the first one's blocks, and the reverse.
  typename B::Heap* heaps[2] = {this->heap_, B::Attach()};
  uint64_t held_bytes = 0;
  for (int step = 0; step < 20'000; ++step) {
    typename B::Heap* heap = heaps[random() % 2];
    const unsigned action = random() % 64;
    if (action < 31) {
      const SizeClass c = ClassNumber(1 + random() % (kTinyClassCount - 1));
      const uint32_t bytes = ClassBytes(c);
      void* batch[kBatch];
      const uint32_t n = B::Refill(heap, c, batch, 1 + random() % kBatch);
      ASSERT_GT(n, 0u);
      for (uint32_t i = 0; i < n; ++i) {
        const uintptr_t address = AddressOf(batch[i]);
        const auto next = held.lower_bound(address);
        if (next != held.end()) {
          ASSERT_LE(address + bytes, next->first);
        }
        if (next != held.begin()) {
          const auto previous = std::prev(next);
          ASSERT_GE(address,
                    previous->first + ClassBytes(previous->second.size_class));
        }
        memset(batch[i], static_cast<char>(step), bytes);
        held[address] = {c, static_cast<char>(step)};
      }
      held_bytes += n * bytes;
    } else if (action < 63) {
      if (held.empty()) continue;
      // Blocks of one class, from a random place on.
      auto it = held.lower_bound(
          held.begin()->first +
          random() % (held.rbegin()->first - held.begin()->first + 1));
      const SizeClass c = it->second.size_class;
      std::vector<void*> batch;
      while (it != held.end() && batch.size() < kBatch) {
        if (it->second.size_class != c) {
          ++it;
          continue;
        }
        char* block = reinterpret_cast<char*>(it->first);
        for (uint32_t i = 0; i < ClassBytes(c); ++i) {
          ASSERT_EQ(block[i], it->second.fill);
        }
        batch.push_back(block);
        it = held.erase(it);
      }
      held_bytes -= batch.size() * ClassBytes(c);
      std::shuffle(batch.begin(), batch.end(), random);
      BackendTest<B>::Give(heap, c, batch);
    } else {
      B::Collect(step, random() % 2 == 0);
      ASSERT_EQ(B::Totals().block_bytes - this->before_.block_bytes,
                held_bytes);
    }
  }
  for (const auto& [address, block] : held) {
    void* pointer = reinterpret_cast<void*>(address);
    B::Drain(heaps[0], block.size_class, &pointer, 1);
  }
  B::Detach(heaps[1]);
}

// Each thread fills blocks and hands them to the next, which checks and frees.
TYPED_TEST(BackendTest, ThreadsFreeOneAnothersBlocks) {
  using B = TypeParam;
  struct Queue {
    std::mutex mutex;
    std::deque<std::pair<SizeClass, void*>> blocks;
  };
  for (const int thread_count : {2, 8}) {
    std::vector<Queue> queues(thread_count);
    std::vector<std::thread> threads;
    for (int t = 0; t < thread_count; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random(t);
        typename B::Heap* heap = B::Attach();
        for (int round = 0; round < 1500; ++round) {
          const SizeClass c = ClassNumber(1 + random() % (kTinyClassCount - 1));
          void* batch[kBatch];
          const uint32_t n = B::Refill(heap, c, batch, kBatch);
          Queue& next = queues[(t + 1) % thread_count];
          for (uint32_t i = 0; i < n; ++i) {
            memset(batch[i], static_cast<int>(Index(c)), ClassBytes(c));
            const std::lock_guard lock(next.mutex);
            next.blocks.push_back({c, batch[i]});
          }
          for (uint32_t i = 0; i < n; ++i) {
            std::pair<SizeClass, void*> entry;
            {
              const std::lock_guard lock(queues[t].mutex);
              if (queues[t].blocks.empty()) break;
              entry = queues[t].blocks.front();
              queues[t].blocks.pop_front();
            }
            const auto* bytes = static_cast<char*>(entry.second);
            const uint32_t size = ClassBytes(entry.first);
            ASSERT_EQ(bytes[0], static_cast<char>(Index(entry.first)));
            ASSERT_EQ(bytes[size - 1], static_cast<char>(Index(entry.first)));
            B::Drain(heap, entry.first, &entry.second, 1);
          }
          if (round % 100 == 0) B::Collect(round, /*force=*/true);
        }
        B::Detach(heap);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (Queue& queue : queues) {
      for (auto& [c, block] : queue.blocks) B::Drain(this->heap_, c, &block, 1);
    }
  }
}

TYPED_TEST(BackendTest, MemoryOfEndedThreadsIsReused) {
  using B = TypeParam;
  const SizeClass c = ClassOf(128);
  uint64_t most_chunks = 0;
  for (int round = 0; round < 50; ++round) {
    std::vector<void*> blocks;
    std::thread([&] {
      typename B::Heap* heap = B::Attach();
      for (int i = 0; i < 2000; ++i) {
        void* batch[kBatch];
        const uint32_t n = B::Refill(heap, c, batch, kBatch);
        blocks.insert(blocks.end(), batch, batch + n);
      }
      B::Detach(heap);
    }).join();
    most_chunks = std::max(most_chunks, B::Totals().chunks);
    this->Give(c, blocks);
  }
  // 64,000 blocks of 128 bytes are 4 chunks; without reuse it would be 200.
  EXPECT_LE(most_chunks - this->before_.chunks, 8u);
}

TYPED_TEST(BackendTest, ARunningThreadTakesOverPagesOfEndedOnes) {
  using B = TypeParam;
  const SizeClass c = ClassOf(512);
  std::vector<void*> blocks;
  std::thread([&] {
    typename B::Heap* heap = B::Attach();
    for (int i = 0; i < 500; ++i) {
      void* batch[kBatch];
      const uint32_t n = B::Refill(heap, c, batch, kBatch);
      blocks.insert(blocks.end(), batch, batch + n);
    }
    // Every second block goes back: each page is half empty when it ends.
    std::vector<void*> back;
    for (size_t i = 0; i < blocks.size(); i += 2) back.push_back(blocks[i]);
    for (size_t i = 0; i < blocks.size(); ++i) {
      if (i % 2 == 1) blocks[i / 2] = blocks[i];
    }
    blocks.resize(blocks.size() / 2);
    BackendTest<B>::Give(heap, c, back);
    B::Detach(heap);
  }).join();
  const uint64_t chunks = B::Totals().chunks;
  std::vector<void*> mine = this->Take(c, 7000);
  EXPECT_LE(B::Totals().chunks, chunks + 1);
  this->Give(c, mine);
  this->Give(c, blocks);
}

TYPED_TEST(BackendTest, WithoutAHeapBlocksAreTakenBackAllTheSame) {
  using B = TypeParam;
  // The heap is verified after each test.
  for (void* block : this->Take(ClassOf(100), 3000)) {
    B::Drain(nullptr, ClassOf(100), &block, 1);
  }
}

TYPED_TEST(BackendTest, ForkLeavesBothSidesWhole) {
  using B = TypeParam;
  B::LockForFork();
  B::UnlockAfterFork();
  const SizeClass c = ClassOf(100);
  this->Give(c, this->Take(c, 100));
}

template <typename B>
using BackendDeathTest = BackendTest<B>;
TYPED_TEST_SUITE(BackendDeathTest, Backends, Names);

TYPED_TEST(BackendDeathTest, ABadBlockIsDistinguished) {
  using B = TypeParam;
  const SizeClass c = ClassOf(96);
  std::vector<void*> blocks = this->Take(c, 4);
  void* inside = static_cast<char*>(blocks[1]) + 32;
  EXPECT_DEATH(B::Drain(this->heap_, c, &inside, 1),
               "^hakmem\\[[0-9]+\\]: invalid free of 0x[0-9a-f]+: 32 bytes "
               "into a block of "
               "96 bytes at 0x[0-9a-f]+\n$");
  void* twice[2] = {blocks[0], blocks[0]};
  EXPECT_DEATH(B::Drain(this->heap_, c, twice, 2),
               "^hakmem\\[[0-9]+\\]: double free of 0x[0-9a-f]+: the block of "
               "96 bytes is "
               "free already\n$");
  // By a thread that does not own the block.
  EXPECT_DEATH(
      {
        typename B::Heap* other = B::Attach();
        B::Drain(other, c, &blocks[2], 1);
        B::Drain(other, c, &blocks[2], 1);
        B::Collect(0, true);
      },
      "^hakmem\\[[0-9]+\\]: double free of 0x[0-9a-f]+: the block of 96 bytes "
      "is free "
      "already\n$");
  // Once by its owner, once by another.
  EXPECT_DEATH(
      {
        typename B::Heap* other = B::Attach();
        B::Drain(this->heap_, c, &blocks[2], 1);
        B::Drain(other, c, &blocks[2], 1);
        B::Collect(0, true);
      },
      "^hakmem\\[[0-9]+\\]: double free of 0x[0-9a-f]+: the block of 96 bytes "
      "is free "
      "already\n$");
  this->Give(c, blocks);
}

}  // namespace
}  // namespace hakmem
