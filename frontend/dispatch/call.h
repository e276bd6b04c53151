// Call: which function the program called, and from where, for failure records
// and events. With --//tracing=off it is empty and costs nothing.
#ifndef HAKMEM_FRONTEND_DISPATCH_CALL_H_
#define HAKMEM_FRONTEND_DISPATCH_CALL_H_

#include <type_traits>

#include "base/build_config.h"
#include "hakmem/hakmem.h"

namespace hakmem {
namespace internal {

struct TracedCall {
  constexpr TracedCall(hakmem_failure_entry_t the_entry, const void* the_caller)
      : entry(the_entry), caller(the_caller) {}

  hakmem_failure_entry_t entry;
  const void* caller;  // return address in the program
};

struct UntracedCall {
  constexpr UntracedCall(hakmem_failure_entry_t, const void*) {}

  static constexpr hakmem_failure_entry_t entry = HAKMEM_ENTRY_NONE;
  static constexpr const void* caller = nullptr;
};

}  // namespace internal

using Call =
    std::conditional_t<kTracing, internal::TracedCall, internal::UntracedCall>;

// The call of the enclosing function. On a hot path, use it in a cold function
// that the hot one tail-calls, so that none of its work is done early (a tail
// call leaves the program's return address in place).
[[gnu::always_inline]] inline Call CallOf(hakmem_failure_entry_t entry) {
  return {entry, __builtin_return_address(0)};
}

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_DISPATCH_CALL_H_
