#include <stdlib.h>

#include <algorithm>

#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/small/mapped_array.h"
#include "benchmarks/workloads/small/small.h"

namespace hakmem::bench {
namespace {

constexpr size_t kBlocks = 1'000'000;
constexpr uint64_t kRounds = 3;
constexpr size_t kSmallest = 16;
constexpr size_t kLargest = 256;

enum class Order { kSame, kReversed, kShuffled };

// Moves the entries, not the blocks, so that whatever the order the blocks'
// entries are read one after the other.
void Arrange(MappedArray<Block>& blocks, Order order, Random& random) {
  switch (order) {
    case Order::kSame:
      break;
    case Order::kReversed:
      std::reverse(blocks.begin(), blocks.end());
      break;
    case Order::kShuffled:
      blocks.Shuffle(random);
      break;
  }
}

void RunBatches(Run& run, Order order) {
  const uint64_t rounds = run.Scaled(kRounds);
  // Two, so that the sizes are the same in any order.
  Random sizes(run.seed());
  Random places(run.seed() + 1);
  MappedArray<Block> blocks(kBlocks);
  uint64_t made = 0;
  for (uint64_t round = 0; round < rounds; ++round) {
    run.Start();
    for (Block& block : blocks) {
      const size_t size = kSmallest + sizes.Below(kLargest - kSmallest + 1);
      block = MakeBlock(size, DistinctTag(++made));
    }
    run.Stop();
    Arrange(blocks, order, places);
    run.Start();
    for (const Block& block : blocks) {
      block.CheckEnds();
      free(block.data);
    }
    run.Stop();
    run.Count(kBlocks);
  }
  run.Finish();
}

}  // namespace

void BatchInOrder(Run& run) { RunBatches(run, Order::kSame); }
void BatchReversed(Run& run) { RunBatches(run, Order::kReversed); }
void BatchShuffled(Run& run) { RunBatches(run, Order::kShuffled); }

}  // namespace hakmem::bench
