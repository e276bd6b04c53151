#include "tools/soak/counters.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tools/soak/mapped.h"

namespace hakmem::soak {
namespace {

// More would say the same again.
constexpr uint64_t kMostLines = 20;

SharedCounters* shared = nullptr;

}  // namespace

thread_local constinit ThreadCounters counters = {};

void InitSharedCounters() { shared = Map<SharedCounters>(1, /*shared=*/true); }

SharedCounters& Shared() { return *shared; }

void FlushCounters() {
  shared->operations += counters.operations;
  shared->checked += counters.checked;
  shared->refused += counters.refused;
  counters = {};
}

void ReportError(const char* format, ...) {
  const int error = errno;
  if (shared->errors.fetch_add(1) < kMostLines) {
    char line[512] = "error: ";
    constexpr int kHead = 7;
    va_list arguments;
    va_start(arguments, format);
    const int length =
        vsnprintf(line + kHead, sizeof(line) - kHead - 1, format, arguments);
    va_end(arguments);
    const size_t end = std::min(static_cast<size_t>(std::max(length, 0)),
                                sizeof(line) - kHead - 2) +
                       kHead;
    line[end] = '\n';
    // Where it cannot be written, the count still tells.
    (void)!write(STDERR_FILENO, line, end + 1);
  }
  errno = error;
}

}  // namespace hakmem::soak
