#include "tools/soak/workloads.h"

namespace hakmem::soak {
namespace {

struct Workload {
  void (*run)(ThreadState& state);
  size_t weight;
  bool in_child;  // a forked child can do it, too
};

constexpr Workload kWorkloads[] = {
    {SmallMix, 20, true},
    {Batches, 14, true},
    {GrowAndThin, 3, true},
    {MidMix, 12, true},
    {LargeMix, 4, true},
    {ReallocSteps, 6, true},
    {Aligned, 6, true},
    {Zeroed, 6, true},
    {Maps, 6, true},
    {Strings, 6, true},
    {Trees, 6, true},
    {PassOn, 12, false},
    {ProduceAndConsume, 4, true},
    {RequestAndAnswer, 4, true},
    {Fork, 2, false},
    {Idle, 2, true},
    {Maintain, 3, true},
};

constexpr size_t WeightOfAll() {
  size_t sum = 0;
  for (const Workload& workload : kWorkloads) sum += workload.weight;
  return sum;
}

const Workload& Draw(Random& random) {
  size_t at = random.Below(WeightOfAll());
  const Workload* workload = kWorkloads;
  while (at >= workload->weight) at -= (workload++)->weight;
  return *workload;
}

}  // namespace

void InitThreadState(ThreadState& state, size_t budget) {
  state.kept.Start(budget / 2);
  state.scratch.Start(budget / 2);
  state.queues.Start();
}

void RunOneWorkload(ThreadState& state) {
  const Workload& workload = Draw(state.random);
  if (state.in_child && !workload.in_child) return;
  workload.run(state);
}

}  // namespace hakmem::soak
