// The functions whose fast paths are counted, and how the traced program
// (caller.cc) announces a call to the tracer (trace.h).
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
enum MeasuredFunction { kMalloc, kFree, kSizedDelete, kCalloc, kRealloc };

struct FunctionName {
  const char* name;    // for people
  const char* symbol;  // for dlsym
};

inline constexpr FunctionName kMeasuredFunctions[] = {
    {"malloc", "malloc"}, {"free", "free"},       {"sized delete", "_ZdlPvm"},
    {"calloc", "calloc"}, {"realloc", "realloc"},
};
inline constexpr size_t kMeasuredFunctionCount =
    sizeof(kMeasuredFunctions) / sizeof(kMeasuredFunctions[0]);

// The requested block size; realloc stays within its class.
inline constexpr size_t kMeasuredBytes = 48;
inline constexpr size_t kMeasuredReallocBytes = 44;

// The number of calls to each of them.
inline constexpr int kMeasuredRounds = 5;

}  // namespace hakmem::bench

#endif  // HAKMEM_TESTS_FAST_PATH_MEASURED_FUNCTIONS_H_
