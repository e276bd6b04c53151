#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/log_uniform.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/large/large.h"

namespace hakmem::bench {
namespace {

constexpr LogUniform kSizes(size_t{256} << 10, size_t{32} << 20);
constexpr size_t kSlots = 16;
constexpr uint64_t kReplacements = 1500;

}  // namespace

void LargeBlocks(Run& run) {
  Random random(run.seed());
  BlockArray blocks(kSlots);
  for (size_t i = 0; i < kSlots; ++i) blocks.Replace(i, kSizes.Draw(random));
  const uint64_t replacements = run.Scaled(kReplacements);
  run.Start();
  for (uint64_t i = 0; i < replacements; ++i) {
    blocks.Replace(random.Below(kSlots), kSizes.Draw(random));
  }
  run.Stop();
  run.Count(replacements);
  run.Finish();
}

}  // namespace hakmem::bench
