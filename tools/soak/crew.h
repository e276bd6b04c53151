// The threads of a worker: they come, do some works, and go, so that there are
// always as many as the round wants.
#ifndef HAKMEM_TOOLS_SOAK_CREW_H_
#define HAKMEM_TOOLS_SOAK_CREW_H_

#include <pthread.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace hakmem::soak {

// The most threads a crew has; each may start another one for a work.
inline constexpr size_t kMostThreads = 64;

// Starts a thread with a small stack. False when the system refused, as it may
// while a limit is lowered; when it may not, that is an error.
bool StartThread(pthread_t& thread, void* (*run)(void*), void* argument);

// Runs as many threads at once as the crew ever will: libc keeps some of what
// it allocates for a thread for the next ones, and after this needs no more.
void WarmUpThreads(size_t threads);

struct Shift {
  size_t threads;
  uint64_t seed;
  size_t budget;  // bytes that all together hold in blocks
  std::chrono::steady_clock::time_point end;
  bool limits;  // whether limits are lowered now and then
};

// Works until the end, or until StopWork(), and until all blocks are freed and
// all threads have ended.
void RunCrew(const Shift& shift);

// For signal handlers, too.
void StopWork();
bool WorkIsStopped();

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_CREW_H_
