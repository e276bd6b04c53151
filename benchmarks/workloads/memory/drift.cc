#include "benchmarks/worker/log_uniform.h"
#include "benchmarks/worker/process_meter.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/memory/block_index.h"
#include "benchmarks/workloads/memory/light.h"
#include "benchmarks/workloads/memory/memory.h"

namespace hakmem::bench {
namespace {

constexpr size_t kLiveBytes = size_t{64} << 20;

// Sizes are drawn from these and multiplied by the phase's scale.
constexpr LogUniform kSizes(16, 256);

// Rises from 1 to 256, by the fourth root of two in each phase, and falls again
// to exactly 1.
class Scales {
 public:
  static constexpr size_t kRising = 32;
  static constexpr size_t kPhases = 2 * kRising;

  constexpr Scales() {
    for (size_t i = 1; i <= kRising; ++i) {
      steps_[i] = steps_[i - 1] * 1.189207115002721;
    }
  }
  constexpr double operator[](size_t phase) const {
    return steps_[phase < kRising ? phase + 1 : kPhases - 1 - phase];
  }

 private:
  double steps_[kRising + 1] = {1};
};
constexpr Scales kScales;
static_assert(Scales::kPhases == Run::kMostPoints);  // a reading after each

// How many bytes are allocated in a phase: a quarter of what is live.
constexpr size_t kPhaseBytes = kLiveBytes / 4;

// At their smallest, blocks have 87 bytes on average; a little room beside.
constexpr size_t kMostBlocks = kLiveBytes / 80;

constexpr uint64_t kWarmUpBlocks = 1000;

class Drifting {
 public:
  explicit Drifting(Run& run)
      : run_(run), random_(run.seed()), index_(kMostBlocks) {}

  // Allocates so many bytes; for each block as many random ones are freed as it
  // takes to keep within the working set.
  void Allocate(size_t bytes, double scale) {
    uint64_t blocks = 0;
    run_.Start();
    for (size_t allocated = 0; allocated < bytes; ++blocks) {
      const auto drawn = static_cast<double>(kSizes.Draw(random_));
      const auto size = static_cast<size_t>(drawn * scale);
      while (count_ == kMostBlocks || live_bytes_ + size > kLiveBytes) {
        FreeRandom();
      }
      index_.Plan(count_, size);
      index_.Make(count_++);
      live_bytes_ += size;
      allocated += size;
    }
    run_.Stop();
    run_.Count(blocks);
  }

  // Adds to the series and returns what is resident.
  uint64_t Read() {
    const uint64_t resident = ResidentKib();
    run_.AddPoint(live_bytes_ / 1024, resident);
    return resident;
  }

  size_t live_bytes() const { return live_bytes_; }

 private:
  // The last block takes its place in the index.
  void FreeRandom() {
    const size_t i = random_.Below(count_);
    live_bytes_ -= index_.size(i);
    index_.Free(i);
    if (i != --count_) index_.Move(count_, i);
  }

  Run& run_;
  Random random_;
  BlockIndex index_;
  size_t count_ = 0;  // blocks there are, the first of the index
  size_t live_bytes_ = 0;
};

}  // namespace

void Drift(Run& run) {
  const size_t phase_bytes = run.Scaled(kPhaseBytes);
  Drifting drifting(run);
  LightBlocks(run.seed(), kWarmUpBlocks);
  const uint64_t resident_before = ResidentKib();
  drifting.Allocate(kLiveBytes, 1);
  uint64_t resident_after = 0;
  for (size_t phase = 0; phase < Scales::kPhases; ++phase) {
    drifting.Allocate(phase_bytes, kScales[phase]);
    resident_after = drifting.Read();
  }
  run.Finish();
  run.Report("resident_before_kib", static_cast<double>(resident_before));
  run.Report("resident_after_kib", static_cast<double>(resident_after));
  run.Report("live_after_kib",
             static_cast<double>(drifting.live_bytes()) / 1024);
}

}  // namespace hakmem::bench
