// What the workloads about memory are made of.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/memory/available_memory.h"
#include "benchmarks/workloads/memory/block_index.h"
#include "benchmarks/workloads/memory/crew.h"
#include "benchmarks/workloads/memory/fault_price.h"
#include "benchmarks/workloads/memory/latencies.h"
#include "gtest/gtest.h"

namespace hakmem::bench {
namespace {

TEST(Crew, DoesEachStepOnceWhateverItsSize) {
  for (const size_t threads : {0, 1, 2, 4}) {
    Crew crew(threads);
    std::vector<std::atomic<int>> done(1001);
    // Several jobs one after the other, one of them empty.
    crew.ForEach(0, 500, [&](size_t i) { ++done[i]; });
    crew.ForEach(500, 500, [&](size_t i) { ++done[i]; });
    crew.ForEach(500, 503, [&](size_t i) { ++done[i]; });
    crew.ForEach(503, 1001, [&](size_t i) { ++done[i]; });
    for (const std::atomic<int>& count : done) EXPECT_EQ(count, 1);
  }
}

TEST(Crew, WorksOnThreadsThatStay) {
  Crew crew(2);
  std::thread::id first[2];
  std::thread::id second[2];
  const auto look_first = [&](size_t thread) {
    first[thread] = std::this_thread::get_id();
  };
  const auto look_again = [&](size_t thread) {
    second[thread] = std::this_thread::get_id();
  };
  crew.Begin(look_first);
  crew.Wait();
  crew.Begin(look_again);
  crew.Wait();
  EXPECT_EQ(first[0], second[0]);
  EXPECT_EQ(first[1], second[1]);
  EXPECT_NE(first[0], first[1]);
  EXPECT_NE(first[0], std::this_thread::get_id());
}

TEST(Crew, MayHaveHundreds) {
  Crew crew(Crew::kMostThreads);
  std::vector<std::atomic<int>> done(Crew::kMostThreads);
  const auto count = [&](size_t thread) { ++done[thread]; };
  crew.Begin(count);
  crew.Wait();
  for (const std::atomic<int>& times : done) EXPECT_EQ(times, 1);
}

TEST(Latencies, FindTheWorstOfThousands) {
  static Latencies latencies;
  EXPECT_EQ(latencies.AllBut(0.001), 0u);
  for (uint64_t i = 0; i < 99'890; ++i) latencies.Add(20 + i % 10);
  for (uint64_t i = 0; i < 99; ++i) latencies.Add(100'000);
  latencies.Add(5'000'000);
  for (uint64_t i = 0; i < 10; ++i) latencies.Add(1'000);
  EXPECT_EQ(latencies.count(), 100'000u);
  EXPECT_EQ(latencies.longest(), 5'000'000u);
  // A hundred are beyond it.
  EXPECT_NEAR(static_cast<double>(latencies.AllBut(0.001)), 1'000, 31);
  EXPECT_NEAR(static_cast<double>(latencies.AllBut(0.00005)), 100'000, 3'100);
  EXPECT_EQ(latencies.AllBut(0), 5'000'000u);
  EXPECT_EQ(latencies.AllBut(0.5), 25u);
}

TEST(Latencies, KeepEveryTimeToThreePercent) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (const uint64_t add : {0, 1, 7}) {
      Latencies latencies;
      const uint64_t time =
          (uint64_t{1} << bit) + add * (uint64_t{1} << bit) / 8;
      latencies.Add(time);
      latencies.Add(UINT64_MAX);
      const uint64_t found = latencies.AllBut(0.5);
      EXPECT_GE(found, time);
      EXPECT_LE(found - time, time / 32) << time;
    }
  }
}

TEST(FaultPrice, OneFaultMayBeOfAHugePage) {
  const FaultPrice price = {.small = 500, .huge = 100'000};
  EXPECT_EQ(price.Of(0), 0u);
  EXPECT_EQ(price.Of(1), 100'000u);
  EXPECT_EQ(price.Of(3), 101'000u);
}

TEST(FaultPrice, IsMeasured) {
  const FaultPrice price = MeasureFaultPrice();
  EXPECT_GT(price.small, 100u);
  EXPECT_LT(price.small, 1'000'000u);
  EXPECT_GE(price.huge, price.small);
  EXPECT_LT(price.huge, 100'000'000u);
}

TEST(BlockIndex, ShufflesAllOfItsEntries) {
  static constexpr size_t kCount = 1000;
  BlockIndex index(kCount);
  for (size_t i = 0; i < kCount; ++i) {
    index.Plan(i, 16 + i);
    index.Make(i);
  }
  Random random(5);
  index.Shuffle(random);
  std::set<size_t> sizes;
  size_t stayed = 0;
  for (size_t i = 0; i < kCount; ++i) {
    sizes.insert(index.size(i));
    if (index.size(i) == 16 + i) ++stayed;
    index.Free(i);  // dies when the entry lost its tag
  }
  EXPECT_EQ(sizes.size(), kCount);
  EXPECT_LT(stayed, 20u);
}

TEST(BlockIndex, MovesBlocks) {
  BlockIndex index(2);
  index.Plan(1, 100);
  index.Make(1);
  index.Move(1, 0);
  index.Move(0, 0);
  EXPECT_EQ(index.size(0), 100u);
  index.Free(0);
}

TEST(AvailableMemory, IsWhatAMachineCanHave) {
  EXPECT_GT(AvailableKib(), uint64_t{16} << 10);
  EXPECT_LT(AvailableKib(), uint64_t{1} << 40);
}

TEST(AvailableMemory, HalfAsMuchAgainIsRequired) {
  RequireAvailable(1 << 20);
  const uint64_t bytes = AvailableKib() * 1024;
  EXPECT_EXIT(RequireAvailable(bytes), testing::ExitedWithCode(3),
              "needs [0-9]+ MiB of memory; [0-9]+ are available");
}

}  // namespace
}  // namespace hakmem::bench
