// A case is what the contenders run: random-mixed with a working set on a
// number of threads, or another workload that has a name. It says all that is
// needed to run it (schedule.h).
#ifndef HAKMEM_BENCHMARKS_HARNESS_CASE_H_
#define HAKMEM_BENCHMARKS_HARNESS_CASE_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace hakmem::bench {

struct Case {
  uint64_t slots;              // of random-mixed; 0 for other workloads
  uint64_t threads;            // 0: as many as its worker says
  std::string workload = {};   // its name; empty: random-mixed without one
  std::string operation = {};  // what one is, for people
  uint64_t every = 1;          // runs in every so many repeats
  // The program, a file under RunfilesRoot(), and its arguments but for --seed
  // and --floor.
  std::string worker = {};
  std::vector<std::string> arguments = {};
  // What a run may take at most: so much more than is usual that only an
  // allocator that hangs meets it.
  std::chrono::milliseconds limit = std::chrono::minutes(1);
  std::string kind = {};                   // "small", where there are kinds
  std::vector<std::string> left_out = {};  // contenders that take no part
  bool timed = true;                       // false: its memory alone counts
  uint64_t warm_mib = 0;                   // touched before (warm_memory.h)

  // One thread is measured in CPU time, which a busy machine disturbs least;
  // threads are there to save wall time, so that is what counts for them.
  bool by_cpu_time() const { return threads == 1; }
  // "8192 slots, 2 threads", or the name
  std::string Name() const;
  bool LeavesOut(const std::string& contender) const;
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_CASE_H_
