#include "benchmarks/workloads/memory/available_memory.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "benchmarks/worker/worker.h"

namespace hakmem::bench {
namespace {

// The limit of a container as it sees it itself, by the two versions of
// control groups. Elsewhere the files are not there, or have no number.
constexpr const char* kLimits[] = {
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
};

// The number after `label` in the file; `otherwise` when there is none. (By
// hand, because stdio would allocate.)
uint64_t NumberIn(const char* path, const char* label, uint64_t otherwise) {
  char text[4096];
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return otherwise;
  const ssize_t length = read(file, text, sizeof(text) - 1);
  close(file);
  text[length < 0 ? 0 : length] = '\0';
  const char* const found = strstr(text, label);
  if (found == nullptr) return otherwise;
  const char* number = found + strlen(label);
  number += strspn(number, " ");
  return *number >= '0' && *number <= '9' ? strtoull(number, nullptr, 10)
                                          : otherwise;
}

}  // namespace

uint64_t AvailableKib() {
  uint64_t available = NumberIn("/proc/meminfo", "\nMemAvailable:", 0);
  for (const char* const path : kLimits) {
    const uint64_t limit = NumberIn(path, "", UINT64_MAX) / 1024;
    if (limit < available) available = limit;
  }
  return available;
}

void RequireAvailable(uint64_t bytes) {
  const uint64_t needed = bytes / 1024 * 3 / 2;
  const uint64_t available = AvailableKib();
  if (available >= needed) return;
  Die(kCannotRun, "needs %" PRIu64 " MiB of memory; %" PRIu64 " are available",
      needed / 1024, available / 1024);
}

}  // namespace hakmem::bench
