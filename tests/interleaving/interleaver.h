// The interleaver: runs small programs of two to four threads under every
// schedule, and under everything that their loads may see (memory_model.h).
//
//   Result result = Explore(
//       [&] { state = State(); return Threads{[&] {...}, [&] {...}}; },
//       [&] { Require(state.x.load() == 2, "an increment was lost"); });
//   EXPECT_TRUE(result.passed) << result.failure;
//
// The threads are fibers; what they share is interleaver::Atomic, Plain, Mutex
// (atomic.h), or the allocator's own code with these in the place of std's
// (in_place_of_std.h). Each operation on them is a step; a thread is stopped
// before each of its steps, so that it is known what it will do. A depth-first
// search goes through all choices. Of schedules that differ only in the order
// of steps that have nothing to do with one another, one is run (sleep sets,
// Godefroid 1996).
//
// Found are: a Require that does not hold, a deadlock, a data race on a Plain,
// a run without end. The failure says the steps that led to it. With
// INTERLEAVER_RUNS in the environment each search prints how many runs it took.
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

// A place in the source that is a step, as it was met.
struct Site {
  std::string file;  // without folders
  int line;
  std::string operation;
  int part = 0;  // 1: the order of a compare-exchange that failed
  std::memory_order order;

  std::string Text() const;
  friend bool operator==(const Site& a, const Site& b) {
    return a.file == b.file && a.line == b.line && a.operation == b.operation &&
           a.part == b.part;
  }
};

struct Options {
  Memory memory = Memory::kWeak;
  // Runs after which the search is given up, and has failed.
  int64_t most_runs = 3'000'000;
  // Steps after which a run counts as one without end.
  int most_steps = 2000;
  // At most so many switches from a thread that could have gone on; -1: any.
  int most_preemptions = -1;
  // Whether of schedules that differ in nothing one is enough. Not with a bound
  // on preemptions.
  bool leaves_out_equals = true;
  // Files whose atomics are numbers that decide nothing: no steps.
  std::vector<std::string> quiet_files;
  // One site's memory order made another (mutants.h).
  const Site* weakened = nullptr;
  std::memory_order weakened_to = std::memory_order_relaxed;
};

struct Result {
  bool passed = true;
  std::string failure;    // with the steps that led to it
  int64_t runs = 0;       // complete ones
  int64_t cut_short = 0;  // runs equal to one before, noticed on the way
  std::vector<Site> sites;
};

// Calls `make` for a fresh state and its threads, and `check` after all of them
// have ended, for every run; until the first that fails.
Result Explore(const std::function<Threads()>& make,
               const std::function<void()>& check, const Options& options = {});

// Fails the run when `holds` is false. In a thread or a check.
void Require(bool holds, const char* what);

// A step that others must not be thought apart from: to be called by a test's
// thread before it touches what the test itself shares between threads.
void Touch(const void* shared);

// What the kernel does for futexes.
void FutexWait(const void* word, uint32_t while_value);
void FutexWake(const void* word, int count);

// What failures call `address`.
void Name(const void* address, const char* name);

// --- For atomic.h ------------------------------------------------------------

namespace internal {

struct Place {
  const char* file;
  int line;
};

// Whether the calling code is a thread of a run; else atomics are what they are
// without other threads.
bool InThread();

uint64_t Load(const void* address, uint64_t initial, std::memory_order order,
              Place place);
// These return what the location's last value is now.
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
