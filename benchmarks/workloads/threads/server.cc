#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/log_uniform.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/threads/relay.h"
#include "benchmarks/workloads/threads/resident.h"
#include "benchmarks/workloads/threads/threads.h"

namespace hakmem::bench {
namespace {

constexpr size_t kLanes = 4;
// A thread replaces each block two or three times on average: the first is
// mostly one of its predecessors', a later one its own.
struct SmallBlocks {
  static constexpr size_t kSlots = 1000;
  static constexpr uint64_t kReplacements = 2'500;
  static constexpr uint64_t kGenerations = 1'000;
  static size_t DrawSize(Random& random) { return 10 + random.Below(491); }
};

struct MidBlocks {
  static constexpr size_t kSlots = 250;
  static constexpr uint64_t kReplacements = 625;
  static constexpr uint64_t kGenerations = 1'000;
  static constexpr LogUniform kSizes{size_t{1} << 10, size_t{32} << 10};
  static size_t DrawSize(Random& random) { return kSizes.Draw(random); }
};

// The blocks of a lane, which its threads hand on.
template <class Blocks>
class alignas(kApart) Desk {
 public:
  Desk(const Run& run, uint64_t lane)
      : random_(run.seed() * kLanes + lane),
        blocks_(Blocks::kSlots, lane << 40),
        early_generation_(run.Scaled(Blocks::kGenerations) / kEarly) {}

  void Fill() {
    for (size_t i = 0; i < Blocks::kSlots; ++i) {
      blocks_.Replace(i, Blocks::DrawSize(random_));
    }
  }

  void Leg(uint64_t generation) {
    if (generation == early_generation_) early_ = ReadResident(live_bytes());
    for (uint64_t i = 0; i < Blocks::kReplacements; ++i) {
      blocks_.Replace(random_.Below(Blocks::kSlots), Blocks::DrawSize(random_));
    }
  }

  size_t live_bytes() const { return blocks_.live_bytes(); }
  const Reading& early() const { return early_; }

 private:
  Random random_;
  BlockArray blocks_;
  const uint64_t early_generation_;
  Reading early_;
};

template <class Blocks>
void Serve(Run& run) {
  Desk<Blocks> desks[kLanes] = {{run, 0}, {run, 1}, {run, 2}, {run, 3}};
  for (Desk<Blocks>& desk : desks) desk.Fill();
  const uint64_t generations = run.Scaled(Blocks::kGenerations);
  run.Start();
  RunRelay(desks, generations);
  run.Stop();
  run.Count(kLanes * generations * Blocks::kReplacements);
  run.Finish();
  size_t live_bytes = 0;
  for (const Desk<Blocks>& desk : desks) live_bytes += desk.live_bytes();
  ReportResident(run, desks[0].early(), ReadResident(live_bytes));
}

}  // namespace

void Server(Run& run) { Serve<SmallBlocks>(run); }
void SlotsHandedOn(Run& run) { Serve<MidBlocks>(run); }

}  // namespace hakmem::bench
