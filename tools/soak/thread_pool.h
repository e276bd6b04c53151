// The threads of a worker. Each runs some workloads and ends; another one takes
// its place, so that the round always has as many threads as it wants.
#ifndef HAKMEM_TOOLS_SOAK_THREAD_POOL_H_
#define HAKMEM_TOOLS_SOAK_THREAD_POOL_H_

#include <pthread.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace hakmem::soak {

// The most threads of a pool; each may start another one for a workload.
inline constexpr size_t kMostThreads = 64;

// Starts a thread with a small stack. False when the system refused, as it may
// while a limit is lowered; when it may not, that is an error.
bool StartThread(pthread_t& thread, void* (*run)(void*), void* argument);

// Runs `threads` at once: libc keeps some of what it allocates for a thread for
// the next ones, and allocates nothing more for them afterwards.
void WarmUpThreads(size_t threads);

struct RoundConfig {
  size_t threads;
  uint64_t seed;
  size_t budget;  // bytes of blocks, all threads together
  std::chrono::steady_clock::time_point end;
};

// Runs workloads until the end of the round or StopThreads(). Returns when all
// blocks are freed and all threads have ended.
void RunThreads(const RoundConfig& config);

// Async-signal-safe.
void StopThreads();

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_THREAD_POOL_H_
