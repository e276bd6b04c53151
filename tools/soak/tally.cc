#include "tools/soak/tally.h"

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

Tally* the_tally = nullptr;

}  // namespace

thread_local constinit Counts counts = {};

void StartTally() { the_tally = Map<Tally>(1, /*shared=*/true); }

Tally& TheTally() { return *the_tally; }

void FlushCounts() {
  the_tally->operations += counts.operations;
  the_tally->checked += counts.checked;
  the_tally->refused += counts.refused;
  counts = {};
}

void Fault(const char* format, ...) {
  const int error = errno;
  if (the_tally->errors.fetch_add(1) < kMostLines) {
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
