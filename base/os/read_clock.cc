#include "base/os/read_clock.h"

#include <atomic>

#include "base/os/system_call.h"
#include "base/os/vdso.h"

namespace hakmem {
namespace {

#if defined(__aarch64__)
constexpr char kVdsoClock[] = "__kernel_clock_gettime";
#else
constexpr char kVdsoClock[] = "__vdso_clock_gettime";
#endif

// Returns 0 or a negated errno.
using ClockFunction = int(clockid_t clock, timespec* time);

int AskKernel(clockid_t clock, timespec* time) {
  return static_cast<int>(SystemCall(SYS_clock_gettime, clock, time));
}

// Null: not looked up yet. relaxed: every thread finds the same.
constinit std::atomic<ClockFunction*> clock_function{nullptr};

[[gnu::cold]] ClockFunction* FindClockFunction() {
  const uintptr_t found = FindInVdso(kVdsoClock);
  auto* function =
      found != 0 ? reinterpret_cast<ClockFunction*>(found) : &AskKernel;
  clock_function.store(function, std::memory_order_relaxed);
  return function;
}

}  // namespace

timespec ReadClock(clockid_t clock) {
  ClockFunction* function = clock_function.load(std::memory_order_relaxed);
  if (function == nullptr) [[unlikely]] {
    function = FindClockFunction();
  }
  timespec time = {};
  function(clock, &time);
  return time;
}

}  // namespace hakmem
