// What a worker counts, and how it reports errors that it finds.
#ifndef HAKMEM_TOOLS_SOAK_COUNTERS_H_
#define HAKMEM_TOOLS_SOAK_COUNTERS_H_

#include <atomic>
#include <cstdint>

namespace hakmem::soak {

// Of the whole worker. In memory that it shares with the children it forks.
struct SharedCounters {
  std::atomic<uint64_t> operations;  // calls of the malloc family
  std::atomic<uint64_t> checked;     // times a block's contents were compared
  std::atomic<uint64_t> refused;     // requests that failed, as they may
  std::atomic<uint64_t> threads;     // started
  std::atomic<uint64_t> forks;
  std::atomic<uint64_t> limits;  // times that a limit was lowered
  std::atomic<uint64_t> errors;
};

// Before anything else here.
void InitSharedCounters();
SharedCounters& Shared();

// Of this thread. FlushCounters adds them to the shared ones: counting there in
// every call would make the threads take turns.
struct ThreadCounters {
  uint64_t operations;
  uint64_t checked;
  uint64_t refused;
};
extern thread_local constinit ThreadCounters counters;
void FlushCounters();

// Counts an error and prints it, one line on stderr; of many errors the first
// ones only. Allocates nothing.
void ReportError(const char* format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_COUNTERS_H_
