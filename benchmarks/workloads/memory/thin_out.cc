#include "benchmarks/worker/process_meter.h"
#include "benchmarks/workloads/memory/available_memory.h"
#include "benchmarks/workloads/memory/block_index.h"
#include "benchmarks/workloads/memory/light.h"
#include "benchmarks/workloads/memory/memory.h"

namespace hakmem::bench {
namespace {

constexpr size_t kBytes = size_t{256} << 20;

// No two of them are near enough to share a size class. Of the smallest there
// are 2.7 million blocks.
constexpr size_t kSizes[] = {200, 100, 400};
constexpr size_t kRounds = sizeof(kSizes) / sizeof(kSizes[0]);

constexpr size_t kKeepEvery = 64;

// A round is filled, and thinned out, in so many parts, with a reading after
// each.
constexpr size_t kParts = 8;

constexpr uint64_t kWarmUpBlocks = 1000;

// How many blocks of a round stay.
constexpr size_t Kept(size_t blocks) {
  return (blocks + kKeepEvery - 1) / kKeepEvery;
}

// How many blocks there are at most: one round's and what stayed before it.
constexpr size_t MostBlocks(size_t bytes) {
  size_t most = 0;
  size_t kept = 0;
  for (const size_t size : kSizes) {
    const size_t blocks = bytes / size;
    if (kept + blocks > most) most = kept + blocks;
    kept += Kept(blocks);
  }
  return most;
}

class Thinning {
 public:
  Thinning(Run& run, size_t bytes) : run_(run), index_(MostBlocks(bytes)) {}

  // Makes `blocks` blocks behind those that stayed.
  void Fill(size_t blocks, size_t size) {
    InParts(blocks, [&](size_t i) {
      index_.Plan(kept_ + i, size);
      index_.Make(kept_ + i);
      live_bytes_ += size;
    });
    run_.Count(blocks);
  }

  // Frees all of them but each 64th, which joins those that stayed.
  void ThinOut(size_t blocks, size_t size) {
    const size_t first = kept_;
    InParts(blocks, [&](size_t i) {
      if (i % kKeepEvery != 0) {
        index_.Free(first + i);
        live_bytes_ -= size;
      } else {
        index_.Move(first + i, kept_++);
      }
    });
  }

  // Adds to the series and returns what is resident.
  uint64_t Read() {
    const uint64_t resident = ResidentKib();
    run_.AddPoint(live_bytes_ / 1024, resident);
    return resident;
  }

  size_t live_bytes() const { return live_bytes_; }

 private:
  // Does `step(i)` for all i below `count`. The clocks stand still for the
  // reading.
  template <class Step>
  void InParts(size_t count, const Step& step) {
    for (size_t part = 0; part < kParts; ++part) {
      const size_t end = count * (part + 1) / kParts;
      run_.Start();
      for (size_t i = count * part / kParts; i < end; ++i) step(i);
      run_.Stop();
      Read();
    }
  }

  Run& run_;
  BlockIndex index_;
  size_t kept_ = 0;  // blocks that stayed, the first of the index
  size_t live_bytes_ = 0;
};

}  // namespace

void ThinOut(Run& run) {
  const size_t bytes = run.Scaled(kBytes);
  // An allocator may find no use for what was freed.
  RequireAvailable(kRounds * bytes);
  Thinning thinning(run, bytes);
  LightBlocks(run.seed(), kWarmUpBlocks);
  const uint64_t resident_before = thinning.Read();
  for (const size_t size : kSizes) {
    thinning.Fill(bytes / size, size);
    if (size != kSizes[kRounds - 1]) thinning.ThinOut(bytes / size, size);
  }
  LightActivity(run.seed());
  const uint64_t resident_after = thinning.Read();
  run.Finish();
  run.Report("resident_before_kib", static_cast<double>(resident_before));
  run.Report("resident_after_kib", static_cast<double>(resident_after));
  run.Report("live_after_kib",
             static_cast<double>(thinning.live_bytes()) / 1024);
}

}  // namespace hakmem::bench
