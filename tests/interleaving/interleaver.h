// The interleaver: a model checker that runs small programs of two to four
// threads under every schedule, and with every value that their loads may
// return (memory_model.h).
//
//   Result result = Explore(
//       [&] { state = State(); return Threads{[&] {...}, [&] {...}}; },
//       [&] { Require(state.x.load() == 2, "an increment was lost"); });
//   EXPECT_TRUE(result.passed) << result.failure;
//
// The threads are fibers that share interleaver::Atomic, Plain, Mutex
// (atomic.h), or the allocator's own code with these in place of std's
// (in_place_of_std.h). Each operation on them is a step; a thread stops before
// each step, so that the next one is known. A depth-first search explores all
// choices. Of schedules that differ only in the order of independent steps, one
// is run (sleep sets, Godefroid 1996).
//
// Detects a Require that does not hold, a deadlock, a data race on a Plain, an
// endless run. The failure lists the steps that led to it. With
// INTERLEAVER_RUNS in the environment each search prints its number of runs.
#ifndef HAKMEM_TESTS_INTERLEAVING_INTERLEAVER_H_
#define HAKMEM_TESTS_INTERLEAVING_INTERLEAVER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/interleaving/memory_model.h"

namespace interleaver {

using Threads = std::vector<std::function<void()>>;

// A step's place in the source.
struct Site {
  std::string file;  // without folders
  int line;
  std::string operation;
  int part = 0;  // 1: the failure order of a compare-exchange
  std::memory_order order;

  std::string Text() const;
  friend bool operator==(const Site& a, const Site& b) {
    return a.file == b.file && a.line == b.line && a.operation == b.operation &&
           a.part == b.part;
  }
};

struct Options {
  Memory memory = Memory::kWeak;
  // The search fails after this many runs.
  int64_t most_runs = 3'000'000;
  // A run with more steps counts as endless.
  int most_steps = 2000;
  // Limit on switches from a thread that could have continued; -1: none.
  int most_preemptions = -1;
  // Whether to skip equivalent schedules. Not with a bound on preemptions.
  bool leaves_out_equals = true;
  // Files whose atomics do not affect control flow: they are no steps.
  std::vector<std::string> quiet_files;
  // The site whose memory order is replaced (mutants.h).
  const Site* weakened = nullptr;
  std::memory_order weakened_to = std::memory_order_relaxed;
};

struct Result {
  bool passed = true;
  std::string failure;    // with the steps that led to it
  int64_t runs = 0;       // complete ones
  int64_t cut_short = 0;  // runs stopped early as equivalent to an earlier one
  std::vector<Site> sites;
};

// For every run, calls `make` for a fresh state and its threads, and `check`
// after all of them have ended. Stops at the first failure.
Result Explore(const std::function<Threads()>& make,
               const std::function<void()>& check, const Options& options = {});

// Fails the run if `holds` is false. Call in a thread or a check.
void Require(bool holds, const char* what);

// A step that depends on all other steps on `shared`: a test's thread calls it
// before it touches what the test itself shares between threads.
void Touch(const void* shared);

// The kernel's futex operations.
void FutexWait(const void* word, uint32_t while_value);
void FutexWake(const void* word, int count);

// The name of `address` in failures.
void Name(const void* address, const char* name);

// --- For atomic.h ------------------------------------------------------------

namespace internal {

struct Place {
  const char* file;
  int line;
};

// Whether the calling code is a thread of a run; otherwise atomics behave as in
// a single-threaded program.
bool InThread();

uint64_t Load(const void* address, uint64_t initial, std::memory_order order,
              Place place);
// Each returns the location's last value after it.
uint64_t Store(const void* address, uint64_t initial, uint64_t value,
               std::memory_order order, Place place);
uint64_t Update(const void* address, uint64_t initial, const char* operation,
                std::memory_order order, std::memory_order otherwise,
                const MemoryModel::Next& next, uint64_t* read, Place place);
void Fence(std::memory_order order, Place place);
void Plain(const void* address, bool writes);
void Lock(const void* mutex);
bool TryLock(const void* mutex);
void Unlock(const void* mutex);

}  // namespace internal
}  // namespace interleaver

#endif  // HAKMEM_TESTS_INTERLEAVING_INTERLEAVER_H_
