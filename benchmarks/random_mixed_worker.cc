// Runs the random-mixed workload once on whatever allocator the process has
// and prints one line of JSON. `compare` starts it, mostly with an allocator
// preloaded; by hand:
//
//   LD_PRELOAD=libfoo.so random_mixed_worker --slots=8192 --operations=20000000
//
// The program keeps its own arrays outside malloc and uses no C++ runtime, so
// what it reports is the allocator's. Each thread has slots of its own; only
// the loop is timed, after a warm-up; statistics are read while the working
// set is live. Exit status: 0, 1 (the allocator failed), 2 (bad flags).
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benchmarks/allocator_probe.h"
#include "benchmarks/floor_heap.h"
#include "benchmarks/malloc_heap.h"
#include "benchmarks/map_memory.h"
#include "benchmarks/perf_counters.h"
#include "benchmarks/process_meter.h"
#include "benchmarks/random_mixed.h"

namespace hakmem::bench {
namespace {

struct Options {
  uint64_t slots = 8192;
  uint64_t operations = 20'000'000;  // per thread
  uint64_t threads = 1;
  uint64_t seed = 1;
  bool floor = false;
};

[[noreturn]] void Die(int status, const char* format, ...)
    __attribute__((format(printf, 2, 3)));

void Die(int status, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("random_mixed_worker: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  // Not exit(): other threads may still be running.
  _Exit(status);
}

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

void PrintJsonString(const char* text) {
  putchar('"');
  for (; *text != '\0'; ++text) {
    const auto c = static_cast<unsigned char>(*text);
    if (c == '"' || c == '\\') putchar('\\');
    if (c < 0x20) {
      printf("\\u%04x", c);
    } else {
      putchar(c);
    }
  }
  putchar('"');
}

// A null where a number below 0 says that there is none.
void PrintNumber(const char* key, double value) {
  if (value < 0) {
    printf(", \"%s\": null", key);
  } else {
    printf(", \"%s\": %.15g", key, value);
  }
}

// Called when all threads are through and all working sets are still live.
void Report(const Run& run, const Worker* workers) {
  const Options& options = run.options;
  // First what the rest of this function would change.
  const uint64_t peak_kib = PeakResidentKib();
  const uint64_t faults = MinorFaults() - run.faults_before;
  const char* const statistics =
      options.floor ? nullptr : AllocatorStatistics();
  const char* const version = options.floor ? nullptr : AllocatorVersion();
  const double lookup_cycles = options.floor ? -1 : LookupCycles();

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
  printf("{\"slots\": %" PRIu64 ", \"threads\": %" PRIu64
         ", \"operations\": %" PRIu64 ", \"seed\": %" PRIu64
         ", \"wall_ns\": %" PRIu64 ", \"cpu_ns\": %" PRIu64,
         options.slots, options.threads, options.operations * options.threads,
         options.seed, last_end - first_start, cpu_ns);
  PrintNumber("cycles", cycles == 0 ? -1 : static_cast<double>(cycles));
  printf(", \"peak_rss_kib\": %" PRIu64 ", \"minor_faults\": %" PRIu64,
         peak_kib, faults);
  PrintNumber("cache_misses", run.counters->Read(PerfCounters::kCacheMisses));
  PrintNumber("dtlb_misses", run.counters->Read(PerfCounters::kDtlbMisses));
  PrintNumber("instructions", run.counters->Read(PerfCounters::kInstructions));
  printf(", \"perf_error\": ");
  if (run.counters->error() == 0) {
    printf("null");
  } else {
    PrintJsonString(strerror(run.counters->error()));
  }
  PrintNumber("libc_malloc_bytes", static_cast<double>(LibcMallocBytes()));
  printf(", \"malloc_library\": ");
  PrintJsonString(MallocLibrary());
  printf(", \"version\": ");
  if (version == nullptr) {
    printf("null");
  } else {
    PrintJsonString(version);
  }
  PrintNumber("lookup_cycles", lookup_cycles);
  printf(", \"statistics\": %s}\n",
         statistics == nullptr ? "null" : statistics);
  if (fflush(stdout) != 0) Die(1, "cannot write: %s", strerror(errno));
}

template <class Heap>
void RunOn(Heap& heap, Worker& self) {
  Run& run = *self.run;
  const Options& options = run.options;
  const size_t slots_bytes = options.slots * sizeof(Slot);
  auto* const slots = static_cast<Slot*>(MapMemory(slots_bytes));
  if (slots == nullptr) Die(1, "no memory for the slots");
  RandomMixed<Heap> workload(heap, slots, options.slots,
                             options.seed * options.threads + self.index);
  if (!workload.WarmUp()) Die(1, "out of memory while warming up");

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
  if (!served) Die(1, "out of memory");
  pthread_barrier_wait(&run.barrier);  // all have finished
  if (self.index == 0) run.counters->Stop();

  if (const Slot* damaged = workload.FirstDamaged()) {
    Die(1,
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

void* ThreadMain(void* argument) {
  Worker& self = *static_cast<Worker*>(argument);
  if (self.run->options.floor) {
    FloorHeap heap(self.run->options.slots);
    if (!heap.ok()) Die(1, "no address space for the floor heap");
    RunOn(heap, self);
  } else {
    MallocHeap heap;
    RunOn(heap, self);
  }
  return nullptr;
}

// True if `argument` is `--name=value`; then stores the value, or dies when it
// is not a whole number of `low` to `high`.
bool ParseNumber(const char* argument, const char* name, uint64_t low,
                 uint64_t high, uint64_t* value) {
  const size_t length = strlen(name);
  if (strncmp(argument, name, length) != 0 || argument[length] != '=') {
    return false;
  }
  const char* const text = argument + length + 1;
  char* end;
  errno = 0;
  const unsigned long long number = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 ||
      number < low || number > high) {
    Die(2, "%s: not a number of %" PRIu64 " to %" PRIu64, argument, low, high);
  }
  *value = number;
  return true;
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const char* const argument = argv[i];
    if (strcmp(argument, "--floor") == 0) {
      options.floor = true;
    } else if (!ParseNumber(argument, "--slots", kMinSlots, kMaxSlots,
                            &options.slots) &&
               !ParseNumber(argument, "--operations", 1, uint64_t{1} << 48,
                            &options.operations) &&
               !ParseNumber(argument, "--threads", 1, 4096, &options.threads) &&
               !ParseNumber(argument, "--seed", 0, UINT32_MAX, &options.seed)) {
      Die(2, "%s: unknown argument", argument);
    }
  }
  if (!IsWorkingSet(options.slots)) {
    Die(2, "--slots=%" PRIu64 ": not a power of two", options.slots);
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
  if (workers == nullptr) Die(1, "no memory for %" PRIu64 " threads", threads);
  // This thread is worker 0, so that a run on one thread really has only one
  // (some allocators take shortcuts then, as they would in a real program).
  for (uint64_t i = 0; i < threads; ++i) {
    workers[i].run = &run;
    workers[i].all = workers;
    workers[i].index = i;
    if (i == 0) continue;
    const int error =
        pthread_create(&workers[i].thread, nullptr, ThreadMain, &workers[i]);
    if (error != 0) Die(1, "cannot start a thread: %s", strerror(error));
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
