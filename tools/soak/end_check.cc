#include "tools/soak/end_check.h"

#include <fcntl.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdint>
#include <cstdlib>

#include "tools/soak/library.h"
#include "tools/soak/tally.h"

namespace hakmem::soak {
namespace {

size_t ResidentBytes() {
  char text[256] = {};
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  const ssize_t length = read(file, text, sizeof(text) - 1);
  close(file);
  if (length <= 0) return 0;
  char* next = text;
  strtoull(next, &next, 10);
  return strtoull(next, nullptr, 10) * static_cast<size_t>(getpagesize());
}

void WantAtMost(const char* what, uint64_t value, uint64_t most) {
  if (value <= most) return;
  Fault("at the end %s is %" PRIu64 " bytes, %" PRIu64 " at the most", what,
        value, most);
}

void WantNone(const char* what, uint64_t count) {
  if (count != 0) Fault("at the end there are %" PRIu64 " %s", count, what);
}

}  // namespace

Holding Hold() {
  Holding holding = {};
  // Twice: what the first finds in the hands of ended threads is free then.
  for (int i = 0; i < 2; ++i) {
    if (library.collect != nullptr) library.collect();
  }
  holding.has_stats = library.stats != nullptr &&
                      library.stats(&holding.stats, sizeof(holding.stats)) != 0;
  holding.resident = ResidentBytes();
  return holding;
}

void JudgeEnd(const Holding& start, const Holding& end, size_t allowed) {
  if (library.check_heap != nullptr && library.check_heap() != 0) {
    Fault("hakmem_check_heap finds faults at the end");
  }
  // One that cannot be told to give memory back keeps what it keeps.
  if (library.collect != nullptr) {
    WantAtMost("resident memory", end.resident, start.resident + allowed);
  }
  if (!start.has_stats || !end.has_stats) return;
  WantAtMost("live memory", end.stats.live_bytes, start.stats.live_bytes);
  WantAtMost("committed memory", end.stats.committed_bytes,
             start.stats.committed_bytes + allowed);
  WantNone("fallbacks", end.stats.fallbacks);
  WantNone("free list faults", end.stats.free_list_faults);
}

}  // namespace hakmem::soak
