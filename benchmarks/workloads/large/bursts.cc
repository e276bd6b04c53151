#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/log_uniform.h"
#include "benchmarks/worker/process_meter.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/worker/sleep.h"
#include "benchmarks/workloads/large/large.h"

namespace hakmem::bench {
namespace {

constexpr LogUniform kBurstSizes(size_t{1} << 10, size_t{256} << 10);
constexpr LogUniform kLightSizes(16, size_t{64} << 10);

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kBursts = 8;
constexpr size_t kBurstBytes = size_t{64} << 20;
constexpr uint64_t kPause = 150 * kMillisecond;
constexpr uint64_t kLightActivity = 2'000 * kMillisecond;

// Every so many blocks of a burst one stays, until the end of the next.
constexpr size_t kKeepEvery = 64;

// More than any burst has.
constexpr size_t kMostBlocks = 8192;

// Two bursts' blocks: those of the last one that stay while the next runs.
class BurstRun {
 public:
  explicit BurstRun(Run& run)
      : run_(run),
        random_(run.seed()),
        kept_(kMostBlocks),
        blocks_(kMostBlocks) {}

  void Burst(size_t bytes) {
    size_t count = 0;
    while (blocks_.live_bytes() < bytes && count < kMostBlocks) {
      blocks_.Replace(count++, kBurstSizes.Draw(random_));
    }
    kept_.FreeAll();
    for (size_t i = 0; i < count; ++i) {
      if (i % kKeepEvery == 0) {
        kept_.Put(i, blocks_.Take(i));
      } else {
        blocks_.Free(i);
      }
    }
    run_.Count(count);
  }

  // A block every millisecond, each freed before the next. The clocks stand
  // still between: two thousand times going to sleep and waking costs more than
  // all the bursts, and would hide them.
  void LightActivity(uint64_t nanoseconds) {
    const uint64_t end = ClockNanoseconds(CLOCK_MONOTONIC) + nanoseconds;
    do {
      run_.Start();
      blocks_.Replace(0, kLightSizes.Draw(random_));
      blocks_.Free(0);
      run_.Stop();
      run_.Count(1);
      Sleep(kMillisecond);
    } while (ClockNanoseconds(CLOCK_MONOTONIC) < end);
  }

  size_t live_bytes() const { return kept_.live_bytes(); }

 private:
  Run& run_;
  Random random_;
  BlockArray kept_;
  BlockArray blocks_;
};

}  // namespace

void Bursts(Run& run) {
  BurstRun bursts(run);
  const uint64_t bursts_to_run = run.Scaled(kBursts);
  const auto resident_before = static_cast<double>(ResidentKib());
  run.Start();
  for (uint64_t i = 0; i < bursts_to_run; ++i) {
    if (i != 0) Sleep(kPause);
    bursts.Burst(kBurstBytes);
  }
  run.Stop();
  bursts.LightActivity(kLightActivity);
  const auto resident_after = static_cast<double>(ResidentKib());
  run.Finish();
  run.Report("resident_before_kib", resident_before);
  run.Report("resident_after_kib", resident_after);
  run.Report("live_after_kib", static_cast<double>(bursts.live_bytes()) / 1024);
}

}  // namespace hakmem::bench
