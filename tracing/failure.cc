#include "tracing/failure.h"

namespace hakmem {

constinit thread_local FailureNote internal::failure_note{};

void RecordFailure(const FailedRequest&) {
  if constexpr (kTracing) internal::failure_note = {};
}

}  // namespace hakmem
