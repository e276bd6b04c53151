#include "benchmarks/worker/block_array.h"
#include "benchmarks/workloads/large/large.h"

namespace hakmem::bench {
namespace {

constexpr size_t kFirstBytes = size_t{1} << 10;
constexpr size_t kLastBytes = size_t{64} << 20;
constexpr size_t kVectors = 3;  // side by side

// How a vector grows when it is full: to size * numerator / denominator.
struct Factor {
  size_t numerator;
  size_t denominator;
};
constexpr Factor kFactors[] = {{3, 2}, {2, 1}};

// Grows `block` and touches what is new, after looking at its old ends.
void Grow(Block& block, size_t size) {
  auto* const data = static_cast<unsigned char*>(realloc(block.data, size));
  if (data == nullptr) {
    Die(kAllocatorFailed, "out of memory: no realloc to %zu bytes", size);
  }
  block.data = data;
  block.CheckEnds();
  const size_t old_size = block.size;
  block.size = size;
  block.Touch((old_size + kTouchStep - 1) / kTouchStep * kTouchStep);
}

// Returns the operations.
uint64_t GrowSideBySide(const Factor& factor, uint64_t tag, Run& run) {
  Block vectors[kVectors];
  uint64_t operations = 0;
  run.Start();
  for (Block& vector : vectors) {
    vector = MakeBlock(kFirstBytes, DistinctTag(++tag));
  }
  for (size_t size = kFirstBytes; size < kLastBytes;) {
    size = size * factor.numerator / factor.denominator;
    if (size > kLastBytes) size = kLastBytes;
    for (Block& vector : vectors) Grow(vector, size);
    operations += kVectors;
  }
  run.Stop();
  for (const Block& vector : vectors) vector.CheckAll();
  run.Start();
  for (const Block& vector : vectors) free(vector.data);
  run.Stop();
  return operations;
}

}  // namespace

void ReallocGrowth(Run& run) {
  const uint64_t rounds = run.Scaled(2);
  for (uint64_t round = 0; round < rounds; ++round) {
    for (const Factor& factor : kFactors) {
      run.Count(GrowSideBySide(factor, run.seed() + round * kVectors, run));
    }
  }
  run.Finish();
}

}  // namespace hakmem::bench
