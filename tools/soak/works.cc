#include "tools/soak/works.h"

namespace hakmem::soak {
namespace {

struct Work {
  void (*run)(Hand& hand);
  size_t weight;
  bool in_child;  // a forked child can do it, too
};

constexpr Work kWorks[] = {
    {SmallMix, 20, true}, {Batches, 14, true},     {GrowAndThin, 3, true},
    {MidMix, 12, true},   {LargeMix, 4, true},     {Ladder, 6, true},
    {Aligned, 6, true},   {Zeroed, 6, true},       {Maps, 6, true},
    {Strings, 6, true},   {Trees, 6, true},        {PassOn, 12, false},
    {Pipe, 4, true},      {Serve, 4, true},        {Fork, 2, false},
    {Idle, 2, true},      {Housekeeping, 3, true},
};

constexpr size_t WeightOfAll() {
  size_t sum = 0;
  for (const Work& work : kWorks) sum += work.weight;
  return sum;
}

const Work& Draw(Random& random) {
  size_t at = random.Below(WeightOfAll());
  const Work* work = kWorks;
  while (at >= work->weight) at -= (work++)->weight;
  return *work;
}

}  // namespace

void StartHand(Hand& hand, size_t budget) {
  hand.kept.Start(budget / 2);
  hand.scratch.Start(budget / 2);
  hand.relay.Start();
}

void DoAWork(Hand& hand) {
  const Work& work = Draw(hand.random);
  if (hand.in_child && !work.in_child) return;
  work.run(hand);
}

}  // namespace hakmem::soak
