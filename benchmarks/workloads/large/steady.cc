#include "benchmarks/worker/allocator_probe.h"
#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/log_uniform.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/large/large.h"

namespace hakmem::bench {
namespace {

constexpr LogUniform kSizes(size_t{1} << 10, size_t{256} << 10);

// How many blocks the waste is averaged over: enough that two runs agree to a
// tenth of a percent.
constexpr uint64_t kWasteSample = 16384;

class Steady {
 public:
  Steady(uint64_t seed, size_t slots) : random_(seed), blocks_(slots) {}

  void Fill() {
    for (size_t i = 0; i < blocks_.count(); ++i) {
      blocks_.Replace(i, kSizes.Draw(random_));
    }
  }

  // Returns the slot.
  size_t ReplaceOne() {
    const size_t slot = random_.Below(blocks_.count());
    blocks_.Replace(slot, kSizes.Draw(random_));
    return slot;
  }

  void ReplaceMany(uint64_t steps) {
    for (; steps != 0; --steps) ReplaceOne();
  }

  // Goes on replacing; usable over requested bytes of the blocks made, less 1.
  double InternalWaste(uint64_t steps) {
    double requested = 0;
    double usable = 0;
    for (; steps != 0; --steps) {
      const Block& block = blocks_[ReplaceOne()];
      requested += static_cast<double>(block.size);
      usable += static_cast<double>(UsableSize(block.data));
    }
    return usable / requested - 1;
  }

 private:
  Random random_;
  BlockArray blocks_;
};

void RunSteady(Run& run, size_t slots, uint64_t usual_steps) {
  const uint64_t steps = run.Scaled(usual_steps);
  Steady steady(run.seed(), slots);
  steady.Fill();
  steady.ReplaceMany(2 * slots + steps / 4);
  run.Start();
  steady.ReplaceMany(steps);
  run.Stop();
  run.Count(steps);
  run.Finish();
  run.Report("internal_waste",
             KnowsUsableSize() ? steady.InternalWaste(kWasteSample) : -1);
}

}  // namespace

void Steady64(Run& run) { RunSteady(run, 64, 1'000'000); }
void Steady4096(Run& run) { RunSteady(run, 4096, 600'000); }

}  // namespace hakmem::bench
