#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/large/large.h"

namespace hakmem::bench {
namespace {

constexpr size_t kWorkingSet = size_t{16} << 20;
constexpr int kRounds = 3;

// Sizes of `low` to `high` bytes, uniform.
struct Phase {
  size_t low;
  size_t high;
  uint64_t replacements;  // after filling; so many that phases weigh alike

  constexpr size_t slots() const { return kWorkingSet / ((low + high) / 2); }
};

constexpr Phase kPhases[] = {
    {33 << 10, 33 << 10, 600'000},
    {100 << 10, 100 << 10, 200'000},
    {16, 1024, 2'400'000},
};

constexpr size_t MostSlots() {
  size_t most = 0;
  for (const Phase& phase : kPhases) {
    if (phase.slots() > most) most = phase.slots();
  }
  return most;
}

// Uses the first slots of `blocks`, all empty, and leaves them so. Returns the
// operations.
uint64_t RunPhase(const Phase& phase, uint64_t replacements, Random& random,
                  BlockArray& blocks) {
  const auto size = [&] {
    return phase.low + random.Below(phase.high - phase.low + 1);
  };
  const size_t slots = phase.slots();
  for (size_t i = 0; i < slots; ++i) blocks.Replace(i, size());
  for (uint64_t i = 0; i < replacements; ++i) {
    blocks.Replace(random.Below(slots), size());
  }
  blocks.FreeAll();
  return slots + replacements;
}

}  // namespace

void PhaseShift(Run& run) {
  Random random(run.seed());
  BlockArray blocks(MostSlots());
  run.Start();
  for (int round = 0; round < kRounds; ++round) {
    for (const Phase& phase : kPhases) {
      const uint64_t replacements = run.Scaled(phase.replacements / kRounds);
      run.Count(RunPhase(phase, replacements, random, blocks));
    }
  }
  run.Stop();
  run.Finish();
}

}  // namespace hakmem::bench
