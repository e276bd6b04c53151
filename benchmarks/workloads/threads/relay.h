// Short-lived threads in lanes: in each lane one thread at a time, which runs
// its leg with what its predecessor left and then starts its successor.
//
//     lane 0   thread ---> thread ---> thread ---> ...
//     lane 1   thread ---> thread ---> thread ---> ...
//
// A successor first waits for its predecessor to be gone, along with all that
// the allocator does when a thread ends: that is part of the work, and so there
// are never more threads at work than lanes.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_THREADS_RELAY_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_THREADS_RELAY_H_

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdint.h>

#include "benchmarks/workloads/threads/start_thread.h"

namespace hakmem::bench {

// A Runner is what a lane's threads hand on: any class with
//     void Leg(uint64_t number);  // from 0 on, each on a thread of its own
template <class Runner>
class alignas(kApart) Lane {
 public:
  Lane() { sem_init(&finished_, 0, 0); }
  ~Lane() { sem_destroy(&finished_); }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // `legs` is above 0.
  void Start(Runner& runner, uint64_t legs) {
    runner_ = &runner;
    legs_ = legs;
    StartThread(*this);
  }

  // Until the last thread has ended.
  void Join() {
    while (sem_wait(&finished_) != 0 && errno == EINTR) {
    }
    pthread_join(predecessor_, nullptr);
  }

  // The life of each thread. Starting the next, or telling that there is none,
  // is the last that it does with this object.
  void Run() {
    if (number_ != 0) pthread_join(predecessor_, nullptr);
    runner_->Leg(number_);
    predecessor_ = pthread_self();
    if (++number_ == legs_) {
      sem_post(&finished_);
    } else {
      StartThread(*this);
    }
  }

 private:
  Runner* runner_ = nullptr;
  uint64_t legs_ = 0;
  uint64_t number_ = 0;    // of the leg that runs
  pthread_t predecessor_;  // of the thread that runs, once there was one
  sem_t finished_;
};

// Runs all legs of all runners, a lane each.
template <class Runner, size_t count>
void RunRelay(Runner (&runners)[count], uint64_t legs) {
  Lane<Runner> lanes[count];
  for (size_t i = 0; i < count; ++i) lanes[i].Start(runners[i], legs);
  for (Lane<Runner>& lane : lanes) lane.Join();
}

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_THREADS_RELAY_H_
