#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/process_meter.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/memory/available_memory.h"
#include "benchmarks/workloads/memory/block_index.h"
#include "benchmarks/workloads/memory/crew.h"
#include "benchmarks/workloads/memory/heap_sizes.h"
#include "benchmarks/workloads/memory/light.h"
#include "benchmarks/workloads/memory/memory.h"

namespace hakmem::bench {
namespace {

constexpr uint64_t kHeapBytes = uint64_t{4} << 30;

// The heap grows and is freed in so many parts, and resident memory is read
// between them; with the readings before and after all, as many as a series
// holds.
constexpr size_t kParts = (Run::kMostPoints - 2) / 2;

constexpr uint64_t kWarmUpBlocks = 1000;

// Who does it. No threads: the one that is there.
struct Scheme {
  bool shuffled;
  size_t makers;  // end before anything is freed
  size_t freers;  // there from before the start until after the end
};

// How many blocks it takes to reach so many bytes.
size_t CountBlocks(uint64_t seed, uint64_t bytes) {
  Random random(seed);
  size_t count = 0;
  for (uint64_t sum = 0; sum < bytes; ++count) sum += DrawHeapSize(random);
  return count;
}

class Growth {
 public:
  Growth(Run& run, uint64_t bytes)
      : run_(run), index_(CountBlocks(run.seed(), bytes)) {
    Random random(run.seed());
    for (size_t i = 0; i < index_.capacity(); ++i) {
      index_.Plan(i, DrawHeapSize(random));
    }
  }

  size_t blocks() const { return index_.capacity(); }

  void Make(Crew& crew) {
    InParts(
        crew, [this](size_t i) { index_.Make(i); }, +1);
  }
  void Free(Crew& crew) {
    InParts(
        crew, [this](size_t i) { index_.Free(i); }, -1);
  }
  void Shuffle() {
    Random random(run_.seed() + 1);
    index_.Shuffle(random);
  }

  // Adds to the series and returns what is resident.
  uint64_t Read() {
    const uint64_t resident = ResidentKib();
    run_.AddPoint(live_bytes() / 1024, resident);
    return resident;
  }

  uint64_t live_bytes() const { return static_cast<uint64_t>(live_bytes_); }

 private:
  // Does `step(i)` for all entries; each adds `sign` times its size to what is
  // live. The clocks stand still for the reading.
  template <class Step>
  void InParts(Crew& crew, const Step& step, int sign) {
    for (size_t part = 0; part < kParts; ++part) {
      const size_t begin = blocks() * part / kParts;
      const size_t end = blocks() * (part + 1) / kParts;
      run_.Start();
      crew.ForEach(begin, end, step);
      run_.Stop();
      for (size_t i = begin; i < end; ++i) {
        live_bytes_ += sign * static_cast<int64_t>(index_.size(i));
      }
      Read();
    }
  }

  Run& run_;
  BlockIndex index_;
  int64_t live_bytes_ = 0;
};

// Has `work(seed)` done by all threads there are, at once.
template <class Work>
void OnAllThreads(Crew& crew, uint64_t seed, const Work& work) {
  const auto job = [&](size_t thread) { work(seed + 1 + thread); };
  crew.Begin(job);
  work(seed);
  crew.Wait();
}

void Grow(Run& run, const Scheme& scheme) {
  const uint64_t bytes = run.Scaled(kHeapBytes);
  RequireAvailable(bytes);
  Growth growth(run, bytes);
  Crew freers(scheme.freers);
  OnAllThreads(freers, run.seed(),
               [](uint64_t seed) { LightBlocks(seed, kWarmUpBlocks); });
  const uint64_t resident_before = growth.Read();
  {
    Crew makers(scheme.makers);
    growth.Make(makers);
  }
  if (scheme.shuffled) growth.Shuffle();
  growth.Free(freers);
  run.Count(growth.blocks());
  OnAllThreads(freers, run.seed(), [](uint64_t seed) { LightActivity(seed); });
  const uint64_t resident_after = growth.Read();
  run.Finish();
  run.Report("resident_before_kib", static_cast<double>(resident_before));
  run.Report("resident_after_kib", static_cast<double>(resident_after));
  run.Report("live_after_kib", static_cast<double>(growth.live_bytes()) / 1024);
}

}  // namespace

void GrowInOrderSame(Run& run) { Grow(run, {false, 0, 0}); }
void GrowInOrderOthers(Run& run) { Grow(run, {false, 0, 2}); }
void GrowInOrderEnded(Run& run) { Grow(run, {false, 2, 2}); }
void GrowShuffledSame(Run& run) { Grow(run, {true, 0, 0}); }
void GrowShuffledOthers(Run& run) { Grow(run, {true, 0, 2}); }
void GrowShuffledEnded(Run& run) { Grow(run, {true, 2, 2}); }

}  // namespace hakmem::bench
