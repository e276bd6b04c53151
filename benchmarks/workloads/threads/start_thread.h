// Threads without the C++ runtime. What a thread does is the Run() of an object
// that outlives it; objects that different threads write to are aligned, so
// that no cache line is written by two.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_THREADS_START_THREAD_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_THREADS_START_THREAD_H_

#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "benchmarks/worker/worker.h"

namespace hakmem::bench {

// Two cache lines: some processors fetch them in pairs.
inline constexpr size_t kApart = 128;

// Starts a thread that calls worker.Run(). Somebody has to join it.
template <class Worker>
pthread_t StartThread(Worker& worker) {
  pthread_t thread;
  const int error = pthread_create(
      &thread, nullptr,
      [](void* argument) -> void* {
        static_cast<Worker*>(argument)->Run();
        return nullptr;
      },
      &worker);
  if (error != 0) {
    Die(kAllocatorFailed, "cannot start a thread: %s", strerror(error));
  }
  return thread;
}

// One thread for each of several workers.
template <class Worker, size_t count>
class Team {
 public:
  explicit Team(Worker (&workers)[count]) {
    for (size_t i = 0; i < count; ++i) threads_[i] = StartThread(workers[i]);
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  // Waits until all have ended. To be called once.
  void Join() {
    for (const pthread_t thread : threads_) pthread_join(thread, nullptr);
  }

 private:
  pthread_t threads_[count];
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_THREADS_START_THREAD_H_
