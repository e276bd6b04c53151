#include "benchmarks/workloads/memory/light.h"

#include <stdlib.h>

#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/log_uniform.h"
#include "benchmarks/worker/process_meter.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/worker/sleep.h"

namespace hakmem::bench {
namespace {

constexpr LogUniform kSizes(16, size_t{64} << 10);
constexpr uint64_t kPause = 1'000'000;

void OneBlock(Random& random) {
  const size_t size = kSizes.Draw(random);
  const Block block = MakeBlock(size, random.Next());
  block.CheckEnds();
  free(block.data);
}

}  // namespace

void LightActivity(uint64_t seed, uint64_t nanoseconds) {
  Random random(seed);
  const uint64_t end = ClockNanoseconds(CLOCK_MONOTONIC) + nanoseconds;
  do {
    OneBlock(random);
    Sleep(kPause);
  } while (ClockNanoseconds(CLOCK_MONOTONIC) < end);
}

void LightBlocks(uint64_t seed, uint64_t count) {
  Random random(seed);
  for (; count != 0; --count) OneBlock(random);
}

}  // namespace hakmem::bench
