// What a worker counts, and how it tells of errors that it finds.
#ifndef HAKMEM_TOOLS_SOAK_TALLY_H_
#define HAKMEM_TOOLS_SOAK_TALLY_H_

#include <atomic>
#include <cstdint>

namespace hakmem::soak {

// Of the whole worker, forked children included: it is shared memory.
struct Tally {
  std::atomic<uint64_t> operations;  // calls of the malloc family
  std::atomic<uint64_t> checked;     // times a block's contents were compared
  std::atomic<uint64_t> refused;     // requests that failed, as they may
  std::atomic<uint64_t> threads;     // started
  std::atomic<uint64_t> forks;
  std::atomic<uint64_t> limits;  // times that a limit was lowered
  std::atomic<uint64_t> errors;
};

// Makes the tally; before anything else here.
void StartTally();
Tally& TheTally();

// Counts of this thread, which are added to the tally by FlushCounts: a shared
// counter in every call would make threads take turns.
struct Counts {
  uint64_t operations;
  uint64_t checked;
  uint64_t refused;
};
extern thread_local constinit Counts counts;
void FlushCounts();

// Counts an error and prints it, one line on stderr; of many errors the first
// ones only. Allocates nothing.
void Fault(const char* format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_TALLY_H_
