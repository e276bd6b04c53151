// A case: a workload as a suite runs it. It says all that is needed to run it
// and to show it.
#ifndef HAKMEM_BENCHMARKS_HARNESS_CASE_H_
#define HAKMEM_BENCHMARKS_HARNESS_CASE_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace hakmem::bench {

// Keys of kinds of workloads.
inline constexpr char kSmall[] = "small";
inline constexpr char kThreads[] = "threads";
inline constexpr char kMemory[] = "memory";
inline constexpr char kLarge[] = "large";
inline constexpr char kStart[] = "start";
inline constexpr char kPrograms[] = "programs";

struct Case {
  std::string key;        // "random-mixed-256"; no other case has it
  std::string title;      // "random-mixed, 256 slots, 2 threads"
  std::string kind;       // kSmall, ...
  std::string operation;  // what one operation is
  uint64_t threads = 1;

  // The program, a file under the runfiles' root, and its arguments but for
  // --seed and --floor.
  std::string worker;
  std::vector<std::string> arguments = {};
  // Time limit of a run: so far above the usual that only an allocator that
  // hangs exceeds it.
  std::chrono::milliseconds limit = std::chrono::minutes(1);
  uint64_t every = 1;     // runs in every so many repeats
  uint64_t warm_mib = 0;  // touched before (warm_memory.h)

  bool timed = true;  // false: its memory alone counts
  // Whether each thread does operations of its own, so that what one costs is
  // the time of a core. Else threads share in an operation, and wall time
  // counts.
  bool per_core = false;
  bool floor = false;          // the worker knows --floor
  bool pool_variants = false;  // HAKMEM's with another adaptive pool take part

  std::string curve = {};  // key of a curve (catalogue.h) that it is a point of
  double x = 0;            // where on it
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_CASE_H_
