#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/log_uniform.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/large/grained_buffer.h"
#include "benchmarks/workloads/large/large.h"

namespace hakmem::bench {
namespace {

// How some buffers grow.
struct Ladder {
  size_t buffers;
  size_t grain;  // all sizes are multiples of it, and the first is one
  size_t step;   // 0: by half
  size_t top;
  uint64_t weight;  // how many of kWeights steps it gets
};

// The weights are such that neither the many short steps nor the few long
// copies are all there is.
constexpr Ladder kLadders[] = {
    {256, 16, 16, size_t{4} << 10, 104},
    {16, size_t{4} << 10, size_t{4} << 10, size_t{1} << 20, 22},
    {4, size_t{64} << 10, 0, size_t{8} << 20, 2},
};
constexpr uint64_t kWeights = 128;

constexpr uint64_t kSteps = 200'000;

// Other blocks of the program, one replaced every so many steps.
constexpr LogUniform kOtherSizes(16, size_t{64} << 10);
constexpr size_t kOthers = 512;
constexpr uint64_t kOtherEvery = 4;

constexpr size_t kBuffers = [] {
  size_t sum = 0;
  for (const Ladder& ladder : kLadders) sum += ladder.buffers;
  return sum;
}();
static_assert([] {
  uint64_t sum = 0;
  for (const Ladder& ladder : kLadders) sum += ladder.weight;
  return sum;
}() == kWeights);

class Ladders {
 public:
  explicit Ladders(Random& random) : random_(random) {
    size_t next = 0;
    for (const Ladder& ladder : kLadders) {
      for (size_t i = 0; i < ladder.buffers; ++i, ++next) {
        buffers_[next].Allocate(ladder.grain, DistinctTag(next + 1));
      }
    }
  }
  ~Ladders() {
    for (GrainedBuffer& buffer : buffers_) {
      buffer.CheckAll();
      buffer.Free();
    }
  }
  Ladders(const Ladders&) = delete;
  Ladders& operator=(const Ladders&) = delete;

  // Takes a step with a random buffer.
  void Step() {
    size_t first = 0;
    const Ladder* ladder = kLadders;
    for (uint64_t draw = random_.Below(kWeights); draw >= ladder->weight;) {
      draw -= ladder->weight;
      first += ladder->buffers;
      ++ladder;
    }
    const size_t i = first + random_.Below(ladder->buffers);
    buffers_[i].Resize(NextSize(*ladder, buffers_[i].size(), falling_[i]),
                       random_);
  }

 private:
  // Where a buffer of that size goes; changes its direction at both ends.
  static size_t NextSize(const Ladder& ladder, size_t size, bool& falling) {
    if (size == ladder.top) falling = true;
    if (size == ladder.grain) falling = false;
    size_t next = size + ladder.step;
    if (falling) {
      next = size / 2;
    } else if (ladder.step == 0) {
      next = size + size / 2;
    }
    next = (next + ladder.grain - 1) / ladder.grain * ladder.grain;
    return next < ladder.top ? next : ladder.top;
  }

  Random& random_;
  GrainedBuffer buffers_[kBuffers];
  bool falling_[kBuffers] = {};
};

}  // namespace

void ReallocLadder(Run& run) {
  Random random(run.seed());
  BlockArray others(kOthers);
  for (size_t i = 0; i < kOthers; ++i) {
    others.Replace(i, kOtherSizes.Draw(random));
  }
  Ladders ladders(random);
  const uint64_t steps = run.Scaled(kSteps);
  run.Start();
  for (uint64_t i = 0; i < steps; ++i) {
    ladders.Step();
    if (i % kOtherEvery == 0) {
      others.Replace(random.Below(kOthers), kOtherSizes.Draw(random));
    }
  }
  run.Stop();
  run.Count(steps);
  run.Finish();
}

}  // namespace hakmem::bench
