// Which blocks are sampled: guarded (frontend/guard/guard.h), or recorded in
// the heap profile (tracing/profile/profile.h).
//
// Guarding takes each block with the same probability, the profile a Poisson
// process in bytes: a block of b bytes with probability 1 - exp(-b / rate).
// Both together are one Poisson process per size class, so thread caches count
// down one geometric gap (ThreadCache::DueSample) and ask at its end which of
// the two it was; a block that both would take goes to the profile. Such
// processes have no memory, so a request that no gap counts, of a span for
// instance, is drawn for on its own, and a gap may be drawn again at any time.
// (tcmalloc and jemalloc count bytes per thread instead, on their fast paths.)
//
// Thread-safe. Costs nothing while off: only slow paths ask.
#ifndef HAKMEM_FRONTEND_SAMPLING_SAMPLING_H_
#define HAKMEM_FRONTEND_SAMPLING_SAMPLING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/size_classes.h"

namespace hakmem {

class Sampling {
 public:
  enum class Due : uint8_t { kNothing, kGuard, kProfile };

  // Adopts what guard and profile want by now. The caller then takes threads
  // off the hot path, also when this ends sampling.
  static void Update();

  static bool IsOn() { return Generation() != 0; }

  // 0 while nothing is sampled; another number after each Update.
  static uint32_t Generation() {
    // acquire: pairs with the release in Update; a thread that has seen a
    // generation draws by its rates, or by later ones.
    return generation_.load(std::memory_order_acquire);
  }

  // How many blocks of class `c` to hand out before the next one to sample.
  static uint32_t DrawGap(SizeClass c);

  // For whom a block of class `c` is that such a gap ended at.
  static Due ChooseFor(SizeClass c);

  // For whom a block of `bytes` is that no gap counts.
  static Due DrawFor(size_t bytes);

  // 64 random bits.
  static uint64_t Random();

  // While one exists, nothing that this thread allocates is sampled: the stack
  // walk of a sample may allocate.
  class Pause {
   public:
    Pause() { paused_ = true; }
    ~Pause() { paused_ = false; }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;
  };
  static bool IsPaused() { return paused_; }

  // Reseeds after fork so that siblings sample differently.
  static void BeginInChild() { random_ = 0; }

 private:
  static std::atomic<uint32_t> generation_;
  static std::atomic<uint32_t> updates_;
  // Events a block, and events a byte; 0 for what is off.
  static std::atomic<double> guard_rate_;
  static std::atomic<double> profile_rate_;
  static constinit thread_local uint64_t random_;  // 0: not seeded
  static constinit thread_local bool paused_;
};

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_SAMPLING_SAMPLING_H_
