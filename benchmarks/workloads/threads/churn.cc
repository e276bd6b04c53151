#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/log_uniform.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/threads/relay.h"
#include "benchmarks/workloads/threads/resident.h"
#include "benchmarks/workloads/threads/threads.h"

namespace hakmem::bench {
namespace {

constexpr LogUniform kSizes(16, 1024);

constexpr size_t kLanes = 4;
constexpr uint64_t kThreads = 3'500;  // of a lane, one after another
constexpr uint64_t kBlocks = 300;     // that each makes

constexpr size_t kSlots = 64;
constexpr size_t kLeft = 32;  // that each leaves, at most

// The blocks that a lane's threads leave to the next.
class alignas(kApart) Estate {
 public:
  Estate(const Run& run, uint64_t lane)
      : random_(run.seed() * kLanes + lane),
        blocks_(kSlots, lane << 40),
        early_thread_(run.Scaled(kThreads) / kEarly) {}

  void Leg(uint64_t thread) {
    if (thread == early_thread_) early_ = ReadResident(live_bytes());
    // What was left is freed along the way, mixed with blocks of its own.
    for (uint64_t i = 0; i < kBlocks; ++i) {
      blocks_.Replace(random_.Below(kSlots), kSizes.Draw(random_));
    }
    for (size_t i = kLeft; i < kSlots; ++i) blocks_.Free(i);
  }

  size_t live_bytes() const { return blocks_.live_bytes(); }
  const Reading& early() const { return early_; }

 private:
  Random random_;
  BlockArray blocks_;
  const uint64_t early_thread_;
  Reading early_;
};

}  // namespace

void Churn(Run& run) {
  Estate estates[kLanes] = {{run, 0}, {run, 1}, {run, 2}, {run, 3}};
  const uint64_t threads = run.Scaled(kThreads);
  run.Start();
  RunRelay(estates, threads);
  run.Stop();
  run.Count(kLanes * threads * kBlocks);
  run.Finish();
  size_t live_bytes = 0;
  for (const Estate& estate : estates) live_bytes += estate.live_bytes();
  ReportResident(run, estates[0].early(), ReadResident(live_bytes));
}

}  // namespace hakmem::bench
