#include "tools/soak/crew.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "tools/soak/mapped.h"
#include "tools/soak/refusals.h"
#include "tools/soak/tally.h"
#include "tools/soak/works.h"

namespace hakmem::soak {
namespace {

// Small, so that libc keeps all of them (it does up to 40 MiB).
constexpr size_t kStackBytes = size_t{256} << 10;

std::atomic<bool> stopped = false;
static_assert(std::atomic<bool>::is_always_lock_free);

struct Worker {
  Hand hand;
  pthread_t thread;
  bool runs;                // started and not joined yet
  std::atomic<bool> ended;  // or will have in no time
};

void* Work(void* argument) {
  Worker& worker = *static_cast<Worker*>(argument);
  Hand& hand = worker.hand;
  for (size_t works = hand.random.LogUniform(1, 100); works > 0 && !stopped;
       --works) {
    DoAWork(hand);
  }
  hand.kept.Shuffle(hand.random);
  hand.kept.Shrink(hand.random, 0);
  FlushCounts();
  worker.ended = true;
  return nullptr;
}

void Start(Worker& worker, uint64_t seed) {
  worker.hand.random = Random(seed);
  worker.ended = false;
  worker.runs = StartThread(worker.thread, Work, &worker);
}

void Join(Worker& worker) {
  if (worker.runs) pthread_join(worker.thread, nullptr);
  worker.runs = false;
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
  const uint64_t moment = RequestMoment();
  const int error = pthread_create(&thread, &attributes, run, argument);
  pthread_attr_destroy(&attributes);
  if (error == 0) {
    ++TheTally().threads;
    return true;
  }
  ++counts.refused;
  if (!MayBeRefused(moment)) Fault("no thread could be started: %d", error);
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

void RunCrew(const Shift& shift) {
  using std::chrono::steady_clock;
  Random random(shift.seed);
  Worker* const workers = Map<Worker>(shift.threads);
  for (size_t i = 0; i < shift.threads; ++i) {
    StartHand(workers[i].hand, shift.budget / shift.threads);
  }
  auto next_limit = steady_clock::now();
  while (!stopped && steady_clock::now() < shift.end) {
    for (size_t i = 0; i < shift.threads; ++i) {
      if (workers[i].ended) Join(workers[i]);
      if (!workers[i].runs) Start(workers[i], random.Next());
    }
    usleep(2000);
    if (steady_clock::now() < next_limit) continue;
    if (shift.limits && random.OneIn(2)) LowerALimit(random);
    next_limit = steady_clock::now() +
                 std::chrono::milliseconds(random.Between(100, 2000));
  }
  stopped = true;
  for (size_t i = 0; i < shift.threads; ++i) Join(workers[i]);
  ReleasePassedOn(random);
  FlushCounts();
}

void StopWork() { stopped = true; }
bool WorkIsStopped() { return stopped; }

}  // namespace hakmem::soak
