// preload_test_helper.h: how a test sees the shared library from outside.
//
// Each black-box test is one binary that runs once per variant of the library.
// The build gives it
//   HAKMEM_TEST_LIBRARY    the path of the variant's .so
//   HAKMEM_EXPECT_BACKEND  the back-end that this variant must name
// and main() (preload_main_test_helper.cc) runs the binary again with that
// library in LD_PRELOAD, so that whatever starts the test is not preloaded.
// Before any test runs, main() makes sure that malloc, free and operator new
// are those of this very library: a preload that fails cannot pass unnoticed.
#ifndef HAKMEM_TESTS_BLACKBOX_SUPPORT_PRELOAD_TEST_HELPER_H_
#define HAKMEM_TESTS_BLACKBOX_SUPPORT_PRELOAD_TEST_HELPER_H_

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "hakmem/hakmem.h"

namespace hakmem_test {

// Whether this, and so the library that was built with it, is optimised. If
// not, code that is never reached stays in it, and a cold function is called
// where otherwise a jump keeps the return address of the program's call.
#ifdef __OPTIMIZE__
inline constexpr bool kOptimised = true;
#else
inline constexpr bool kOptimised = false;
#endif

// The library's own names. Tests are linked without the library, so they reach
// these by dlsym.
struct Library {
  decltype(&::hakmem_malloc) malloc;
  decltype(&::hakmem_calloc) calloc;
  decltype(&::hakmem_realloc) realloc;
  decltype(&::hakmem_reallocarray) reallocarray;
  decltype(&::hakmem_memalign) memalign;
  decltype(&::hakmem_aligned_alloc) aligned_alloc;
  decltype(&::hakmem_posix_memalign) posix_memalign;
  decltype(&::hakmem_valloc) valloc;
  decltype(&::hakmem_pvalloc) pvalloc;
  decltype(&::hakmem_free) free;
  decltype(&::hakmem_free_sized) free_sized;
  decltype(&::hakmem_free_aligned_sized) free_aligned_sized;
  decltype(&::hakmem_malloc_usable_size) malloc_usable_size;
  decltype(&::hakmem_collect) collect;
  decltype(&::hakmem_version) version;
  decltype(&::hakmem_option) option;
  decltype(&::hakmem_events_start) events_start;
  decltype(&::hakmem_events_stop) events_stop;
  decltype(&::hakmem_events) events;
  decltype(&::hakmem_event_counts) event_counts;
  decltype(&::hakmem_events_dump) events_dump;
  decltype(&::hakmem_profile_start) profile_start;
  decltype(&::hakmem_profile_stop) profile_stop;
  decltype(&::hakmem_profile_write) profile_write;
  decltype(&::hakmem_stats) stats;
  decltype(&::hakmem_class_stats) class_stats;
  decltype(&::hakmem_thread_stats) thread_stats;
  decltype(&::hakmem_stats_json) stats_json;
  decltype(&::hakmem_stats_prometheus) stats_prometheus;
  decltype(&::hakmem_check_heap) check_heap;
  decltype(&::hakmem_last_failure) last_failure;
  decltype(&::hakmem_failures) failures;
  decltype(&::hakmem_set_failure_callback) set_failure_callback;
  decltype(&::hakmem_failure_text) failure_text;
  decltype(&::hakmem_failure_json) failure_json;
  decltype(&::hakmem_failure_entry_name) failure_entry_name;
  decltype(&::hakmem_failure_layer_name) failure_layer_name;
  decltype(&::hakmem_failure_cause_name) failure_cause_name;
  decltype(&::hakmem_failure_subcause_name) failure_subcause_name;
  decltype(&::hakmem_failure_os_request_name) failure_os_request_name;
  decltype(&::hakmem_routings) routings;
};

// Finds every name of `Library` in `handle` (RTLD_DEFAULT or a dlopen handle).
// A name that is missing ends the process with one line that says which.
Library FindLibrary(void* handle);

// The preloaded library.
const Library& Hakmem();

// The statistics of the preloaded library, now.
hakmem_stats_t Stats();

// The statistics after hakmem_collect(): what other threads freed is back where
// it came from by then at the latest.
hakmem_stats_t CollectedStats();

// Replaces this process by another run of the same program, in the emulator
// that HAKMEM_TEST_EMULATOR names, if any: for programs of another processor.
// Returns only when it failed. `argv` ends with a null.
void ExecThisProgram(const char* const* argv);

// From the environment described above; ends the process when it is not set.
std::string LibraryPath();
std::string ExpectedBackend();

// What the library under test was built with.
bool HasTracing();
bool HasAce();  // in any form; without, no block above 2 KiB lies in a slab

// An empty string when the expected library took the place of malloc,
// otherwise one sentence that says what is wrong.
std::string PreloadProblem();

// Returns `value`, hidden from the compiler: it can neither remove an
// allocation whose block goes through here, nor warn of sizes and pointers
// that are wrong on purpose.
template <typename T>
T Opaque(T value) {
  asm volatile("" : "+r"(value) : : "memory");
  return value;
}

// This process's resident memory and address space, in bytes.
size_t ResidentBytes();
size_t AddressSpaceBytes();

// Sets the soft RLIMIT_AS to what is in use now plus `bytes`.
void LimitAddressSpace(size_t bytes);

// How a child process ended.
struct ChildResult {
  int exit_code = -1;  // -1 when a signal ended it
  int signal = 0;
  // All that it wrote to stderr; where a line opens with "hakmem[" and its own
  // number, "hakmem: " instead.
  std::string err;
};

// The lines of `text`, without their ends.
std::vector<std::string> Lines(const std::string& text);

// Runs `body` in a forked child. The child exits with 0, or with 1 when an
// expectation failed in it; after two minutes SIGKILL ends it.
ChildResult RunForked(const std::function<void()>& body);

// Runs this binary again as the child program `name`, with `variables` added
// to its environment.
ChildResult RunChildProgram(
    const std::string& name,
    const std::vector<std::pair<std::string, std::string>>& variables = {});

// A function that RunChildProgram can run in place of the tests. Define it at
// namespace scope; its return value becomes the exit code, through exit().
class ChildProgram {
 public:
  ChildProgram(const char* name, int (*run)());

  // The function called `name`, or nullptr.
  static int (*Find(const std::string& name))();

 private:
  const char* name_;
  int (*run_)();
  ChildProgram* next_;
};

}  // namespace hakmem_test

#endif  // HAKMEM_TESTS_BLACKBOX_SUPPORT_PRELOAD_TEST_HELPER_H_
