// Threads that stay alive between the jobs they are given, as a program's
// workers do: what an allocator keeps for a thread it keeps through all of
// them. Needs pthreads only.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_CREW_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_CREW_H_

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

namespace hakmem::bench {

// Used by the thread that made it. With no threads, that thread does the jobs.
class Crew {
 public:
  static constexpr size_t kMostThreads = 512;

  explicit Crew(size_t threads);
  // Ends the threads and waits until they are gone.
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  size_t threads() const { return threads_; }

  // Has each thread call `job(thread)`, at once, with numbers from 0. Wait
  // returns when all calls have; until then `job` must live, and no other
  // begins. Without threads nothing is called.
  template <class Job>
  void Begin(const Job& job) {
    BeginCalls(
        [](const void* context, size_t thread) {
          (*static_cast<const Job*>(context))(thread);
        },
        &job);
  }
  template <class Job>
  void Begin(const Job&& job) = delete;
  void Wait();

  // Calls `step(i)` for all i from `begin` on and below `end`: each thread for
  // a part of them, in order. Returns when all is done.
  template <class Step>
  void ForEach(size_t begin, size_t end, const Step& step) {
    const size_t parts = threads_ == 0 ? 1 : threads_;
    const auto part = [&](size_t thread) {
      const size_t stop = begin + (end - begin) * (thread + 1) / parts;
      for (size_t i = begin + (end - begin) * thread / parts; i < stop; ++i) {
        step(i);
      }
    };
    if (threads_ == 0) {
      part(0);
      return;
    }
    Begin(part);
    Wait();
  }

 private:
  using Call = void (*)(const void* context, size_t thread);
  struct Member {
    Crew* crew;
    size_t number;
    pthread_t thread;
  };

  static void* Work(void* member);
  void BeginCalls(Call call, const void* context);

  const size_t threads_;
  Member members_[kMostThreads];

  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  // All below under the mutex.
  pthread_cond_t begun_ = PTHREAD_COND_INITIALIZER;
  pthread_cond_t done_ = PTHREAD_COND_INITIALIZER;
  uint64_t jobs_ = 0;    // begun so far
  size_t working_ = 0;   // threads not yet through with the last one
  Call call_ = nullptr;  // null once the crew is to end
  const void* context_ = nullptr;
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_MEMORY_CREW_H_
