// Blocks above 2 KiB, aligned blocks, and zeroed ones.
#include <algorithm>

#include "tools/soak/workloads.h"

namespace hakmem::soak {
namespace {

constexpr size_t kKiB = 1024;
constexpr size_t kMiB = 1024 * kKiB;

// Replaces blocks of `list`, at most `slots`, sizes log-uniform in [low, high].
void Replace(Random& random, BlockList& list, size_t slots, size_t steps,
             size_t low, size_t high) {
  for (; steps > 0; --steps) {
    if (list.size() >= slots || (list.size() > 0 && random.OneIn(2))) {
      list.ReleaseOne(random, random.Below(list.size()));
    } else {
      list.Add(random, random.LogUniform(low, high));
    }
  }
}

}  // namespace

// Sizes that ACE serves, beside the small blocks that the thread keeps.
void MidMix(ThreadState& state) {
  Random& random = state.random;
  BlockList& list = random.OneIn(2) ? state.kept : state.scratch;
  Replace(random, list, list.size() + random.LogUniform(4, 256),
          random.Between(100, 2000), 2 * kKiB, kMiB);
  state.scratch.Shrink(random, 0);
}

// Blocks that have mappings of their own.
void LargeMix(ThreadState& state) {
  Random& random = state.random;
  Replace(random, state.scratch, random.Between(1, 8), random.Between(8, 64),
          512 * kKiB, 48 * kMiB);
  state.scratch.Shrink(random, 0);
}

// Blocks that grow and shrink by realloc.
void ReallocSteps(ThreadState& state) {
  Random& random = state.random;
  BlockList& list = state.scratch;
  const size_t most = random.LogUniform(kKiB, 32 * kMiB);
  const size_t blocks = random.Between(1, 6);
  while (list.size() < blocks) {
    const size_t size = random.LogUniform(1, kKiB);
    if (!list.Add(random, size, 0, Entry::kMalloc)) break;
  }
  for (size_t steps = random.Between(10, 300); steps > 0 && list.size() > 0;
       --steps) {
    const size_t i = random.Below(list.size());
    const size_t size = list[i].size;
    const size_t other = random.OneIn(3) ? random.LogUniform(1, size)
                                         : size + 1 + random.Below(size + 16);
    list.ResizeOne(random, i, std::min(other, most));
  }
  list.Shuffle(random);
  list.Shrink(random, 0);
}

void Aligned(ThreadState& state) {
  Random& random = state.random;
  BlockList& list = state.scratch;
  for (size_t steps = random.Between(50, 500); steps > 0; --steps) {
    if (list.size() > 0 && random.OneIn(2)) {
      list.ReleaseOne(random, random.Below(list.size()));
      continue;
    }
    // Mostly cache lines and pages, up to beyond a chunk.
    const size_t alignment = size_t{1}
                             << (random.OneIn(20) ? random.Between(13, 22)
                                                  : random.Between(5, 12));
    list.Add(random, random.LogUniform(1, random.OneIn(20) ? 4 * kMiB : 8192),
             alignment);
  }
  list.Shrink(random, 0);
}

// calloc of memory that was written to before.
void Zeroed(ThreadState& state) {
  Random& random = state.random;
  BlockList& list = state.scratch;
  const size_t most = random.OneIn(8)   ? 16 * kMiB
                      : random.OneIn(2) ? 64 * kKiB
                                        : 2 * kKiB;
  const size_t count = random.LogUniform(4, most > kMiB ? 16 : 256);
  for (size_t rounds = random.Between(1, 6); rounds > 0; --rounds) {
    const Entry entry = rounds % 2 == 0 ? Entry::kMalloc : Entry::kZeroed;
    for (size_t i = 0; i < count; ++i) {
      list.Add(random, random.LogUniform(1, most), 0, entry);
    }
    list.Shuffle(random);
    list.Shrink(random, list.size() / 4);
  }
  list.Shrink(random, 0);
}

}  // namespace hakmem::soak
