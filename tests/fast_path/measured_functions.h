// The functions whose paths are counted, and how the traced program
// (caller.cc) tells the tracer (trace.h) that it is about to call one.
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
  // It does not: malloc finds its bin empty, free finds it full, and blocks of
  // 2 MiB have none.
  kMallocTinyMiss,
  kFreeTinyMiss,
  kMallocMidMiss,
  kFreeMidMiss,
  kMallocLarge,
  kFreeLarge,
};

struct FunctionName {
  const char* name;    // for people
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

// The first so many are served by bins; the rest are misses.
inline constexpr size_t kMeasuredHitCount = kMallocTinyMiss;
inline constexpr bool IsMiss(size_t function) {
  return function >= kMeasuredHitCount;
}

// What is asked for: a block of this size; realloc stays within its class.
inline constexpr size_t kMeasuredBytes = 48;
inline constexpr size_t kMeasuredReallocBytes = 44;
inline constexpr size_t kMeasuredMidBytes = 4096;
inline constexpr size_t kMeasuredLargeBytes = size_t{2} << 20;

// How many times the caller calls each of them, in the order above: first the
// rounds of hits, then those of misses. Now and then a miss looks at the clock;
// most do not.
inline constexpr int kMeasuredRounds = 5;
inline constexpr int kMeasuredMissRounds = 12;

}  // namespace hakmem::bench

#endif  // HAKMEM_TESTS_FAST_PATH_MEASURED_FUNCTIONS_H_
