#include <iterator>

#include "benchmarks/worker/block_array.h"
#include "benchmarks/workloads/small/small.h"

namespace hakmem::bench {
namespace {

constexpr size_t kSizes[] = {16, 32, 64, 128, 256, 512, 1024, 2048};
constexpr size_t kLengths[] = {100, 200, 400, 800, 1600};
constexpr size_t kLongest = 1600;

// Blocks made in each pair of a size and a length, so that all weigh alike.
constexpr uint64_t kBlocks = 128'000;

void Burst(BlockArray& blocks, size_t size, size_t length) {
  for (size_t i = 0; i < length; ++i) blocks.Replace(i, size);
  for (size_t i = 0; i < length; ++i) blocks.Free(i);
}

}  // namespace

void ClassBurst(Run& run) {
  BlockArray blocks(kLongest);
  const uint64_t made = run.Scaled(kBlocks);
  run.Start();
  for (const size_t length : kLengths) {
    const uint64_t bursts = (made + length - 1) / length;
    // All sizes take turns: an allocator that made room for one of them has
    // seven others to think of.
    for (uint64_t i = 0; i < bursts; ++i) {
      for (const size_t size : kSizes) Burst(blocks, size, length);
    }
    run.Count(bursts * length * std::size(kSizes));
  }
  run.Stop();
  run.Finish();
}

}  // namespace hakmem::bench
