#include "tools/soak/thread_pool.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <span>

#include "tools/soak/counters.h"
#include "tools/soak/mapped.h"
#include "tools/soak/refusals.h"
#include "tools/soak/workloads.h"

namespace hakmem::soak {
namespace {

// Small, so that libc keeps all of them (it does up to 40 MiB).
constexpr size_t kStackBytes = size_t{256} << 10;

std::atomic<bool> stopped = false;
static_assert(std::atomic<bool>::is_always_lock_free);

struct Thread {
  ThreadState state;
  pthread_t thread;
  bool running;             // started and not joined yet
  std::atomic<bool> ended;  // or about to end
};

void* RunWorkloads(void* argument) {
  Thread& thread = *static_cast<Thread*>(argument);
  ThreadState& state = thread.state;
  for (size_t workloads = state.random.LogUniform(1, 100);
       workloads > 0 && !stopped; --workloads) {
    RunOneWorkload(state);
  }
  state.kept.Shuffle(state.random);
  state.kept.Shrink(state.random, 0);
  FlushCounters();
  thread.ended = true;
  return nullptr;
}

void Start(Thread& thread, uint64_t seed) {
  thread.state.random = Random(seed);
  thread.ended = false;
  thread.running = StartThread(thread.thread, RunWorkloads, &thread);
}

void Join(Thread& thread) {
  if (thread.running) pthread_join(thread.thread, nullptr);
  thread.running = false;
}

std::atomic<size_t> waiting = 0;

void* WaitForOthers(void* argument) {
  const size_t all = *static_cast<size_t*>(argument);
  ++waiting;
  while (waiting < all) usleep(100);
  return nullptr;
}

}  // namespace

bool StartThread(pthread_t& thread, void* (*run)(void*), void* argument) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  const uint64_t epoch = LimitEpoch();
  const int error = pthread_create(&thread, &attributes, run, argument);
  pthread_attr_destroy(&attributes);
  if (error == 0) {
    ++Shared().threads;
    return true;
  }
  ++counters.refused;
  if (!MayBeRefused(epoch))
    ReportError("no thread could be started: %d", error);
  return false;
}

void WarmUpThreads(size_t threads) {
  pthread_t all[2 * kMostThreads];
  waiting = 0;
  for (size_t i = 0; i < threads; ++i) {
    if (!StartThread(all[i], WaitForOthers, &threads)) _exit(3);
  }
  for (size_t i = 0; i < threads; ++i) pthread_join(all[i], nullptr);
}

void RunThreads(const RoundConfig& config) {
  using std::chrono::steady_clock;
  Random random(config.seed);
  const std::span<Thread> threads(Map<Thread>(config.threads), config.threads);
  for (Thread& thread : threads) {
    InitThreadState(thread.state, config.budget / config.threads);
  }
  auto next_limit = steady_clock::now();
  while (!stopped && steady_clock::now() < config.end) {
    for (Thread& thread : threads) {
      if (thread.ended) Join(thread);
      if (!thread.running) Start(thread, random.Next());
    }
    usleep(2000);
    if (steady_clock::now() < next_limit) continue;
    if (random.OneIn(2)) LowerALimit(random);
    next_limit = steady_clock::now() +
                 std::chrono::milliseconds(random.Between(100, 2000));
  }
  stopped = true;
  for (Thread& thread : threads) Join(thread);
  ReleasePassedOn(random);
  FlushCounters();
}

void StopThreads() { stopped = true; }

}  // namespace hakmem::soak
