// A workload: a named piece of work on malloc that a worker program runs once
// and reports as one line of JSON. A worker is a list of them:
//
//   constexpr Workload kMine[] = {{"steady", 1, Steady}, ...};
//   int main(int argc, char** argv) {
//     return hakmem::bench::WorkerMain(kMine, argc, argv);
//   }
//
// A workload keeps its own arrays outside malloc (block_array.h), allocates
// through malloc and free alone, and checks that its blocks hold what it wrote.
// One that needs more than the machine has ends with Die(kCannotRun, ...).
#ifndef HAKMEM_BENCHMARKS_WORKER_WORKLOAD_H_
#define HAKMEM_BENCHMARKS_WORKER_WORKLOAD_H_

#include <stddef.h>
#include <stdint.h>

#include "benchmarks/worker/worker.h"

namespace hakmem::bench {

// What other processes used that a workload started.
struct Used {
  uint64_t wall_ns = 0;
  uint64_t cpu_ns = 0;  // of all of them, in user code and in the kernel
  uint64_t peak_rss_kib = 0;
  uint64_t minor_faults = 0;
};

// What a workload is given and what it measures.
class Run {
 public:
  // `effort`: how much to do, in percent of the usual.
  Run(uint64_t seed, uint64_t effort);

  uint64_t seed() const { return seed_; }
  // The part of `usual` that was asked for; at least 1.
  uint64_t Scaled(uint64_t usual) const;

  // The clocks run between Start and Stop, which may come several times.
  void Start();
  void Stop();
  // Adds to the operations done while the clocks ran.
  void Count(uint64_t operations) { operations_ += operations; }

  // Adds what other processes used of the processor while the clocks ran.
  void AddCpu(uint64_t ns) { cpu_ns_ += ns; }

  // Ends the measurement: reads peak memory, page faults and the allocator's
  // own statistics. To be called while the memory is in use, before anything
  // untimed that could change them.
  void Finish();

  // Instead of all the above for a workload that is other programs: ends the
  // measurement with what they used. This process's allocator has then nothing
  // to say about the work, and its statistics are left out.
  void FinishWith(const Used& used);

  // A figure beyond those that all workloads have. `key` is a literal.
  void Report(const char* key, double value);

  // Adds a moment to the line's "series": what the workload holds and what the
  // process has resident. To be called at even steps, with the clocks stopped:
  // when more come than kMostPoints, every other one is dropped, and from then
  // on every other one is passed over.
  void AddPoint(uint64_t live_kib, uint64_t resident_kib);
  static constexpr size_t kMostPoints = 64;

  // Prints the line.
  void Print(const char* workload, uint64_t threads) const;

 private:
  struct Figure {
    const char* key;
    double value;
  };

  const uint64_t seed_;
  const uint64_t effort_;
  const uint64_t faults_before_;
  uint64_t operations_ = 0;
  uint64_t wall_ns_ = 0;
  uint64_t cpu_ns_ = 0;
  uint64_t peak_kib_ = 0;
  uint64_t faults_ = 0;
  AllocatorFacts facts_;
  Figure figures_[8];
  size_t figure_count_ = 0;
  Point points_[kMostPoints];
  size_t point_count_ = 0;
  uint64_t points_offered_ = 0;
  uint64_t point_step_ = 1;  // every so many of those offered is kept
};

struct Workload {
  const char* name;
  uint64_t threads;  // that it runs on
  void (*run)(Run& run);
};

// Parses the flags of a worker, runs the workload they name and prints its
// result; `--probe` instead allocates a little and prints which allocator
// served. Returns or exits with the process's exit status.
int WorkerMain(const Workload* workloads, size_t count, int argc, char** argv);

template <size_t count>
int WorkerMain(const Workload (&workloads)[count], int argc, char** argv) {
  return WorkerMain(workloads, count, argc, argv);
}

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKER_WORKLOAD_H_
