// The workload does what it says, and its check finds what an allocator breaks.
#include "benchmarks/workloads/random_mixed/random_mixed.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <vector>

#include "benchmarks/workloads/random_mixed/floor_heap.h"
#include "benchmarks/workloads/random_mixed/malloc_heap.h"
#include "benchmarks/workloads/random_mixed/mid_sizes.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

// Notes what is asked of it.
class NotingHeap {
 public:
  ~NotingHeap() {
    for (const auto& [block, size] : live) std::free(block);
  }
  void* Allocate(size_t size) {
    if (live.size() == capacity) return nullptr;
    void* const block = std::malloc(size);
    live[block] = size;
    smallest = std::min(smallest, size);
    largest = std::max(largest, size);
    ++allocations;
    return block;
  }
  void Free(void* block, size_t size) {
    const auto found = live.find(block);
    if (found == live.end() || found->second != size) {
      ++wrong_frees;
      return;
    }
    live.erase(found);
    std::free(block);
    ++frees;
  }

  std::map<void*, size_t> live;
  size_t capacity = SIZE_MAX;
  size_t smallest = SIZE_MAX;
  size_t largest = 0;
  size_t allocations = 0;
  size_t frees = 0;
  size_t wrong_frees = 0;
};

TEST(RandomMixed, FreesWhatItAllocatedAndLeavesHalfOfTheSlotsFull) {
  NotingHeap heap;
  std::vector<Slot> slots(4096);
  RandomMixed<NotingHeap> workload(heap, slots.data(), slots.size(), 1);
  ASSERT_TRUE(workload.WarmUp());
  ASSERT_TRUE(workload.Run(100'000));
  EXPECT_EQ(heap.wrong_frees, 0u);
  EXPECT_EQ(heap.allocations + heap.frees, 16 * 4096 + 100'000u);
  EXPECT_EQ(heap.allocations - heap.frees, heap.live.size());
  // Six standard deviations around the half.
  EXPECT_NEAR(static_cast<double>(heap.live.size()), 2048, 200);
  workload.FreeAll();
  EXPECT_EQ(heap.live.size(), 0u);
  EXPECT_EQ(heap.wrong_frees, 0u);
}

TEST(RandomMixed, AsksForAllSizesFromSmallestToLargest) {
  NotingHeap heap;
  std::vector<Slot> slots(256);
  RandomMixed<NotingHeap> workload(heap, slots.data(), slots.size(), 7);
  ASSERT_TRUE(workload.Run(100'000));
  EXPECT_EQ(heap.smallest, kMinSize);
  EXPECT_EQ(heap.largest, kMaxSize);
}

TEST(RandomMixed, SameSeedSameSteps) {
  const auto sizes = [](uint64_t seed) {
    MallocHeap heap;
    std::vector<Slot> slots(64);
    RandomMixed<MallocHeap> workload(heap, slots.data(), slots.size(), seed);
    EXPECT_TRUE(workload.Run(10'000));
    std::vector<size_t> sizes;
    for (const Slot& slot : slots) {
      sizes.push_back(slot.block == nullptr ? 0 : slot.size);
    }
    workload.FreeAll();
    return sizes;
  };
  EXPECT_EQ(sizes(3), sizes(3));
  EXPECT_NE(sizes(3), sizes(4));
}

TEST(RandomMixed, StopsWhenOutOfMemory) {
  NotingHeap heap;
  heap.capacity = 10;
  std::vector<Slot> slots(256);
  RandomMixed<NotingHeap> workload(heap, slots.data(), slots.size(), 1);
  EXPECT_FALSE(workload.WarmUp());
  EXPECT_EQ(heap.live.size(), 10u);
  workload.FreeAll();
}

TEST(RandomMixed, FindsADamagedFirstOrLastByteOfAnyBlock) {
  MallocHeap heap;
  std::vector<Slot> slots(64);
  RandomMixed<MallocHeap> workload(heap, slots.data(), slots.size(), 1);
  ASSERT_TRUE(workload.WarmUp());
  EXPECT_EQ(workload.FirstDamaged(), nullptr);
  for (Slot& slot : slots) {
    if (slot.block == nullptr) continue;
    for (unsigned char* const byte : {slot.block, slot.block + slot.size - 1}) {
      *byte ^= 1;
      EXPECT_EQ(workload.FirstDamaged(), &slot);
      *byte ^= 1;
    }
  }
  EXPECT_EQ(workload.FirstDamaged(), nullptr);
  workload.FreeAll();
}

// Hands the same memory to everybody.
struct OverlappingHeap {
  void* Allocate(size_t) { return memory; }
  void Free(void*, size_t) {}
  unsigned char memory[kMaxSize];
};

TEST(RandomMixed, FindsBlocksThatOverlap) {
  OverlappingHeap heap;
  std::vector<Slot> slots(64);
  RandomMixed<OverlappingHeap> workload(heap, slots.data(), slots.size(), 1);
  ASSERT_TRUE(workload.WarmUp());
  EXPECT_NE(workload.FirstDamaged(), nullptr);
}

// One, two or three bytes.
struct TinySizes {
  size_t operator()(uint64_t bits) const { return 1 + bits % 3; }
};

TEST(RandomMixed, TakesOtherSizesDownToOneByte) {
  NotingHeap heap;
  std::vector<Slot> slots(64);
  RandomMixed<NotingHeap, TinySizes> workload(heap, slots.data(), slots.size(),
                                              1);
  ASSERT_TRUE(workload.WarmUp());
  EXPECT_EQ(heap.smallest, 1u);
  EXPECT_EQ(heap.largest, 3u);
  EXPECT_EQ(workload.FirstDamaged(), nullptr);
  for (Slot& slot : slots) {
    if (slot.block == nullptr || slot.size != 1) continue;
    *slot.block ^= 1;
    EXPECT_EQ(workload.FirstDamaged(), &slot);
    *slot.block ^= 1;
  }
  workload.FreeAll();
  EXPECT_EQ(heap.wrong_frees, 0u);
}

template <class Steps, class Sizes>
void ExpectFloorHeapServes(size_t count) {
  FloorHeap<Steps> heap(count);
  ASSERT_TRUE(heap.ok());
  std::vector<Slot> slots(count);
  RandomMixed<FloorHeap<Steps>, Sizes> workload(heap, slots.data(),
                                                slots.size(), 5);
  // Far more allocations than its memory has room for.
  ASSERT_TRUE(workload.Run(2'000'000)) << count << " slots";
  EXPECT_EQ(workload.FirstDamaged(), nullptr);
  std::vector<Slot> live;
  for (const Slot& slot : slots) {
    if (slot.block != nullptr) live.push_back(slot);
  }
  std::sort(live.begin(), live.end(),
            [](const Slot& a, const Slot& b) { return a.block < b.block; });
  for (size_t i = 1; i < live.size(); ++i) {
    EXPECT_LE(live[i - 1].block + live[i - 1].size, live[i].block);
  }
  workload.FreeAll();
}

TEST(FloorHeap, BlocksDoNotOverlapAndAreUsedAgain) {
  for (const size_t count : {2, 64, 8192}) {
    ExpectFloorHeapServes<EvenSteps, UniformSizes>(count);
    ExpectFloorHeapServes<FourthSteps, MidSizes>(count);
  }
}

template <class Steps>
void ExpectSmallestStepThatFits() {
  size_t last = 0;
  for (size_t size = 1; size <= Steps::kLargest; ++size) {
    const size_t step = Steps::Of(size);
    ASSERT_LE(step, Steps::kSteps) << size;
    ASSERT_GE(step, last) << size;
    ASSERT_GE(Steps::Bytes(step), size);
    if (size > 16) {
      ASSERT_LT(Steps::Bytes(step - 1), size);
    }
    last = step;
  }
  EXPECT_EQ(last, Steps::kSteps);
}

TEST(FloorHeap, StepsAreTheSmallestThatFit) {
  ExpectSmallestStepThatFits<EvenSteps>();
  ExpectSmallestStepThatFits<FourthSteps>();
}

TEST(MidSizes, AreLogUniformFrom16To32000) {
  NotingHeap heap;
  std::vector<Slot> slots(64);
  RandomMixed<NotingHeap, MidSizes> workload(heap, slots.data(), slots.size(),
                                             1);
  ASSERT_TRUE(workload.Run(400'000));
  EXPECT_EQ(heap.smallest, 16u);
  EXPECT_GT(heap.largest, 31'900u);
  EXPECT_LE(heap.largest, 32'000u);
  workload.FreeAll();
  // As many below the geometric middle as above.
  size_t below = 0;
  Random random(3);
  constexpr size_t kDrawn = 100'000;
  for (size_t i = 0; i < kDrawn; ++i) {
    if (MidSizes()(random.Next() >> 32) < 716) ++below;
  }
  EXPECT_NEAR(static_cast<double>(below), kDrawn / 2, 1000);
}

TEST(IsWorkingSet, PowersOfTwoWithinTheLimits) {
  EXPECT_TRUE(IsWorkingSet(kMinSlots));
  EXPECT_TRUE(IsWorkingSet(8192));
  EXPECT_TRUE(IsWorkingSet(kMaxSlots));
  EXPECT_FALSE(IsWorkingSet(0));
  EXPECT_FALSE(IsWorkingSet(1));
  EXPECT_FALSE(IsWorkingSet(8191));
  EXPECT_FALSE(IsWorkingSet(kMaxSlots * 2));
}

}  // namespace
}  // namespace hakmem::bench
