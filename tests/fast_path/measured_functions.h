// The functions whose paths are counted, and how the traced program (caller.cc)
// announces a call to the tracer (trace.h).
//
// The caller executes a breakpoint, int3, with
//   rdi  the function's index in kMeasuredFunctions
//   rsi  the function's address
//   rdx  the load address of the library that contains it
// and then calls the function once.
#ifndef HAKMEM_TESTS_FAST_PATH_MEASURED_FUNCTIONS_H_
#define HAKMEM_TESTS_FAST_PATH_MEASURED_FUNCTIONS_H_

#include <stddef.h>

namespace hakmem::bench {

// Also indices into kMeasuredFunctions.
enum MeasuredFunction {
  // A bin serves the call.
  kMalloc,
  kFree,
  kSizedDelete,
  kCalloc,
  kRealloc,
  // No bin serves the call: malloc finds its bin empty, free finds it full, and
  // blocks of 2 MiB have no bin.
  kMallocTinyMiss,
  kFreeTinyMiss,
  kMallocMidMiss,
  kFreeMidMiss,
  kMallocLarge,
  kFreeLarge,
};

struct FunctionName {
  const char* name;    // for output
  const char* symbol;  // for dlsym
};

inline constexpr FunctionName kMeasuredFunctions[] = {
    {"malloc", "malloc"},        {"free", "free"},
    {"sized delete", "_ZdlPvm"}, {"calloc", "calloc"},
    {"realloc", "realloc"},      {"malloc 48", "malloc"},
    {"free 48", "free"},         {"malloc 4 KiB", "malloc"},
    {"free 4 KiB", "free"},      {"malloc 2 MiB", "malloc"},
    {"free 2 MiB", "free"},
};
inline constexpr size_t kMeasuredFunctionCount =
    sizeof(kMeasuredFunctions) / sizeof(kMeasuredFunctions[0]);

// The first ones are served by bins; the rest are misses.
inline constexpr size_t kMeasuredHitCount = kMallocTinyMiss;
inline constexpr bool IsMiss(size_t function) {
  return function >= kMeasuredHitCount;
}

// The block size; realloc stays within its class.
inline constexpr size_t kMeasuredBytes = 48;
inline constexpr size_t kMeasuredReallocBytes = 44;
inline constexpr size_t kMeasuredMidBytes = 4096;
inline constexpr size_t kMeasuredLargeBytes = size_t{2} << 20;

// How many times the caller calls each of them, in the order above: first the
// rounds of hits, then those of misses. More rounds for misses, as a few of
// them look at the clock.
inline constexpr int kMeasuredRounds = 5;
inline constexpr int kMeasuredMissRounds = 12;

}  // namespace hakmem::bench

#endif  // HAKMEM_TESTS_FAST_PATH_MEASURED_FUNCTIONS_H_
