#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/threads/relay.h"
#include "benchmarks/workloads/threads/resident.h"
#include "benchmarks/workloads/threads/threads.h"

namespace hakmem::bench {
namespace {

constexpr size_t kLanes = 4;
constexpr size_t kSlots = 1000;
constexpr size_t kLow = 10;
constexpr size_t kHigh = 500;

// A thread replaces each block two or three times on average: the first is
// mostly one of its predecessors', a later one its own.
constexpr uint64_t kReplacements = 2'500;
constexpr uint64_t kGenerations = 1'000;

// The blocks of a lane, which its threads hand on.
class alignas(kApart) Desk {
 public:
  Desk(const Run& run, uint64_t lane)
      : random_(run.seed() * kLanes + lane),
        blocks_(kSlots, lane << 40),
        early_generation_(run.Scaled(kGenerations) / kEarly) {}

  void Fill() {
    for (size_t i = 0; i < kSlots; ++i) blocks_.Replace(i, DrawSize());
  }

  void Leg(uint64_t generation) {
    if (generation == early_generation_) early_ = ReadResident(live_bytes());
    for (uint64_t i = 0; i < kReplacements; ++i) {
      blocks_.Replace(random_.Below(kSlots), DrawSize());
    }
  }

  size_t live_bytes() const { return blocks_.live_bytes(); }
  const Reading& early() const { return early_; }

 private:
  size_t DrawSize() { return kLow + random_.Below(kHigh - kLow + 1); }

  Random random_;
  BlockArray blocks_;
  const uint64_t early_generation_;
  Reading early_;
};

}  // namespace

void Server(Run& run) {
  Desk desks[kLanes] = {{run, 0}, {run, 1}, {run, 2}, {run, 3}};
  for (Desk& desk : desks) desk.Fill();
  const uint64_t generations = run.Scaled(kGenerations);
  run.Start();
  RunRelay(desks, generations);
  run.Stop();
  run.Count(kLanes * generations * kReplacements);
  run.Finish();
  size_t live_bytes = 0;
  for (const Desk& desk : desks) live_bytes += desk.live_bytes();
  ReportResident(run, desks[0].early(), ReadResident(live_bytes));
}

}  // namespace hakmem::bench
