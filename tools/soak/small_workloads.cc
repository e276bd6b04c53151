// Small blocks on one thread.
#include <algorithm>

#include "tools/soak/workloads.h"

namespace hakmem::soak {

// Blocks of log-normal sizes come and go, as in most programs.
void SmallMix(ThreadState& state) {
  Random& random = state.random;
  BlockList& kept = state.kept;
  const size_t slots = random.LogUniform(64, 8192);
  for (size_t steps = random.Between(1000, 20000); steps > 0; --steps) {
    if (kept.size() >= slots || (kept.size() > 0 && random.OneIn(2))) {
      kept.ReleaseOne(random, random.Below(kept.size()));
    } else {
      kept.Add(random, random.LogNormal());
    }
  }
}

// Many at once, freed in order, in reverse, or shuffled.
void Batches(ThreadState& state) {
  Random& random = state.random;
  BlockList& scratch = state.scratch;
  const size_t one_size =
      random.OneIn(2) ? random.LogUniform(1, 2048) : size_t{0};
  for (size_t rounds = random.Between(1, 8); rounds > 0; --rounds) {
    const size_t count = random.LogUniform(8, 4096);
    for (size_t i = 0; i < count; ++i) {
      const size_t size = one_size != 0 ? one_size : random.LogNormal();
      scratch.Add(random, size);
    }
    switch (random.Below(3)) {
      case 0:
        scratch.ReleaseInOrder(random);
        break;
      case 1:
        scratch.Shuffle(random);
        [[fallthrough]];
      default:
        scratch.Shrink(random, 0);
    }
  }
}

// A heap that grows, is thinned out to a few blocks here and there, and then is
// used for other sizes in between.
void GrowAndThin(ThreadState& state) {
  Random& random = state.random;
  BlockList& scratch = state.scratch;
  const size_t size = random.LogUniform(16, 40000);
  const size_t bytes = random.LogUniform(size_t{1} << 20, size_t{64} << 20);
  for (size_t held = 0; held < bytes && scratch.HasRoomFor(size);
       held += size) {
    if (!scratch.Add(random, random.Between(size / 2 + 1, size))) break;
  }
  scratch.Shuffle(random);
  scratch.Shrink(random, scratch.size() / random.Between(4, 64));
  scratch.CheckAll();
  const size_t other = random.LogUniform(16, 40000);
  for (size_t held = 0; held < bytes / 4 && scratch.HasRoomFor(other);
       held += other) {
    if (!scratch.Add(random, other)) break;
  }
  scratch.Shuffle(random);
  scratch.Shrink(random, 0);
}

}  // namespace hakmem::soak
