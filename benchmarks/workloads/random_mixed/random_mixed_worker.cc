// Runs the random-mixed workload once on whatever allocator the process has
// and prints one line of JSON. `compare` starts it, mostly with an allocator
// preloaded; by hand:
//
//   LD_PRELOAD=libfoo.so random_mixed_worker --slots=8192 --operations=20000000
//
// --mid makes it the mid mix: the same steps with the sizes of mid_sizes.h.
//
// The program keeps its own arrays outside malloc and uses no C++ runtime, so
// what it reports is the allocator's. Each thread has slots of its own; only
// the loop is timed, after a warm-up; statistics are read while the working
// set is live. Exit status: 0, 1 (the allocator failed), 2 (bad flags).
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "benchmarks/worker/map_memory.h"
#include "benchmarks/worker/perf_counters.h"
#include "benchmarks/worker/process_meter.h"
#include "benchmarks/worker/worker.h"
#include "benchmarks/workloads/random_mixed/floor_heap.h"
#include "benchmarks/workloads/random_mixed/malloc_heap.h"
#include "benchmarks/workloads/random_mixed/mid_sizes.h"
#include "benchmarks/workloads/random_mixed/random_mixed.h"

namespace hakmem::bench {
namespace {

struct Options {
  uint64_t slots = 8192;
  uint64_t operations = 20'000'000;  // per thread
  uint64_t threads = 1;
  uint64_t seed = 1;
  bool floor = false;
  bool mid = false;  // MidSizes instead of random-mixed's own
};

// What all threads share.
struct Run {
  Options options;
  PerfCounters* counters;
  pthread_barrier_t barrier;
  uint64_t faults_before;
};

// One thread's part. Aligned so that no two threads write to one cache line.
struct alignas(128) Worker {
  Run* run;
  Worker* all;  // run->options.threads of them, this one's index below
  uint64_t index;
  pthread_t thread;
  uint64_t start_ns;
  uint64_t end_ns;
  uint64_t cpu_ns;
  uint64_t cycles;
};

// Called when all threads are through and all working sets are still live.
void Report(const Run& run, const Worker* workers) {
  const Options& options = run.options;
  // First what the rest of this function would change.
  const uint64_t peak_kib = PeakResidentKib();
  const uint64_t faults = MinorFaults() - run.faults_before;
  const AllocatorFacts facts =
      options.floor ? AllocatorFacts() : ReadAllocatorFacts();

  uint64_t first_start = UINT64_MAX;
  uint64_t last_end = 0;
  uint64_t cpu_ns = 0;
  uint64_t cycles = 0;
  for (uint64_t i = 0; i < options.threads; ++i) {
    const Worker& worker = workers[i];
    if (worker.start_ns < first_start) first_start = worker.start_ns;
    if (worker.end_ns > last_end) last_end = worker.end_ns;
    cpu_ns += worker.cpu_ns;
    cycles += worker.cycles;
  }
  JsonLine line;
  line.Add("slots", options.slots);
  line.Add("threads", options.threads);
  line.Add("operations", options.operations * options.threads);
  line.Add("seed", options.seed);
  line.Add("wall_ns", last_end - first_start);
  line.Add("cpu_ns", cpu_ns);
  line.Add("cycles", cycles == 0 ? -1 : static_cast<double>(cycles));
  line.Add("peak_rss_kib", peak_kib);
  line.Add("minor_faults", faults);
  line.Add("cache_misses", run.counters->Read(PerfCounters::kCacheMisses));
  line.Add("dtlb_misses", run.counters->Read(PerfCounters::kDtlbMisses));
  line.Add("instructions", run.counters->Read(PerfCounters::kInstructions));
  line.AddText("perf_error", run.counters->error() == 0
                                 ? nullptr
                                 : strerror(run.counters->error()));
  line.AddAllocator(facts);
  line.Close();
}

template <class Sizes, class Heap>
void RunOn(Heap& heap, Worker& self) {
  Run& run = *self.run;
  const Options& options = run.options;
  const size_t slots_bytes = options.slots * sizeof(Slot);
  auto* const slots = static_cast<Slot*>(MapMemory(slots_bytes));
  if (slots == nullptr) Die(kAllocatorFailed, "no memory for the slots");
  RandomMixed<Heap, Sizes> workload(
      heap, slots, options.slots, options.seed * options.threads + self.index);
  if (!workload.WarmUp()) {
    Die(kAllocatorFailed, "out of memory while warming up");
  }

  pthread_barrier_wait(&run.barrier);  // all are warm
  if (self.index == 0) run.counters->Start();
  pthread_barrier_wait(&run.barrier);  // all start at once
  const uint64_t cpu_start = ClockNanoseconds(CLOCK_THREAD_CPUTIME_ID);
  self.start_ns = ClockNanoseconds(CLOCK_MONOTONIC);
  const uint64_t cycles_start = CycleCounter();
  const bool served = workload.Run(options.operations);
  self.cycles = CycleCounter() - cycles_start;
  self.end_ns = ClockNanoseconds(CLOCK_MONOTONIC);
  self.cpu_ns = ClockNanoseconds(CLOCK_THREAD_CPUTIME_ID) - cpu_start;
  if (!served) Die(kAllocatorFailed, "out of memory");
  pthread_barrier_wait(&run.barrier);  // all have finished
  if (self.index == 0) run.counters->Stop();

  if (const Slot* damaged = workload.FirstDamaged()) {
    Die(kAllocatorFailed,
        "thread %" PRIu64
        ": the block of %zu bytes at %p no longer holds what "
        "was written to it",
        self.index, damaged->size, static_cast<void*>(damaged->block));
  }
  pthread_barrier_wait(&run.barrier);  // all are right
  if (self.index == 0) Report(run, self.all);
  pthread_barrier_wait(&run.barrier);  // nobody frees before the report
  workload.FreeAll();
  UnmapMemory(slots, slots_bytes);
}

template <class Sizes, class Steps>
void RunSizes(Worker& self) {
  if (self.run->options.floor) {
    FloorHeap<Steps> heap(self.run->options.slots);
    if (!heap.ok()) {
      Die(kAllocatorFailed, "no address space for the floor heap");
    }
    RunOn<Sizes>(heap, self);
  } else {
    MallocHeap heap;
    RunOn<Sizes>(heap, self);
  }
}

void* ThreadMain(void* argument) {
  Worker& self = *static_cast<Worker*>(argument);
  if (self.run->options.mid) {
    RunSizes<MidSizes, FourthSteps>(self);
  } else {
    RunSizes<UniformSizes, EvenSteps>(self);
  }
  return nullptr;
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const char* const argument = argv[i];
    if (strcmp(argument, "--floor") == 0) {
      options.floor = true;
    } else if (strcmp(argument, "--mid") == 0) {
      options.mid = true;
    } else if (!ParseNumberFlag(argument, "--slots", kMinSlots, kMaxSlots,
                                &options.slots) &&
               !ParseNumberFlag(argument, "--operations", 1, uint64_t{1} << 48,
                                &options.operations) &&
               !ParseNumberFlag(argument, "--threads", 1, 4096,
                                &options.threads) &&
               !ParseNumberFlag(argument, "--seed", 0, UINT32_MAX,
                                &options.seed)) {
      Die(kBadFlags, "%s: unknown argument", argument);
    }
  }
  if (!IsWorkingSet(options.slots)) {
    Die(kBadFlags, "--slots=%" PRIu64 ": not a power of two", options.slots);
  }
  return options;
}

int Main(int argc, char** argv) {
  Run run = {};
  run.options = ParseOptions(argc, argv);
  const uint64_t threads = run.options.threads;
  run.faults_before = MinorFaults();
  PerfCounters counters;
  run.counters = &counters;
  pthread_barrier_init(&run.barrier, nullptr, static_cast<unsigned>(threads));
  auto* const workers =
      static_cast<Worker*>(MapMemory(threads * sizeof(Worker)));
  if (workers == nullptr) {
    Die(kAllocatorFailed, "no memory for %" PRIu64 " threads", threads);
  }
  // This thread is worker 0, so that a run on one thread really has only one
  // (some allocators take shortcuts then, as they would in a real program).
  for (uint64_t i = 0; i < threads; ++i) {
    workers[i].run = &run;
    workers[i].all = workers;
    workers[i].index = i;
    if (i == 0) continue;
    const int error =
        pthread_create(&workers[i].thread, nullptr, ThreadMain, &workers[i]);
    if (error != 0) {
      Die(kAllocatorFailed, "cannot start a thread: %s", strerror(error));
    }
  }
  ThreadMain(&workers[0]);
  for (uint64_t i = 1; i < threads; ++i) {
    pthread_join(workers[i].thread, nullptr);
  }
  return 0;
}

}  // namespace
}  // namespace hakmem::bench

int main(int argc, char** argv) { return hakmem::bench::Main(argc, argv); }
