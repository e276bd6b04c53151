// A pause, which costs no time of the processor.
#ifndef HAKMEM_BENCHMARKS_WORKER_SLEEP_H_
#define HAKMEM_BENCHMARKS_WORKER_SLEEP_H_

#include <stdint.h>
#include <time.h>

namespace hakmem::bench {

// A signal ends it early.
inline void Sleep(uint64_t nanoseconds) {
  const timespec length = {static_cast<time_t>(nanoseconds / 1'000'000'000),
                           static_cast<long>(nanoseconds % 1'000'000'000)};
  nanosleep(&length, nullptr);
}

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKER_SLEEP_H_
