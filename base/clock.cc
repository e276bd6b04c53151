#include "base/clock.h"

#include <ctime>

namespace hakmem {

uint64_t CoarseMilliseconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1000 +
         static_cast<uint64_t>(t.tv_nsec) / 1'000'000;
}

}  // namespace hakmem
