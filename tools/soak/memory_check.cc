#include "tools/soak/memory_check.h"

#include <cinttypes>
#include <cstdint>

#include "tools/soak/counters.h"
#include "tools/soak/library.h"
#include "tools/soak/statm.h"

namespace hakmem::soak {
namespace {

void WantAtMost(const char* what, uint64_t value, uint64_t most) {
  if (value <= most) return;
  ReportError("at the end %s is %" PRIu64 " bytes, %" PRIu64 " at the most",
              what, value, most);
}

}  // namespace

MemoryUse MeasureMemory() {
  MemoryUse use = {};
  // Twice: the first call collects from ended threads, the second gives back.
  for (int i = 0; i < 2; ++i) {
    if (library.collect != nullptr) library.collect();
  }
  use.has_stats = library.stats != nullptr &&
                  library.stats(&use.stats, sizeof(use.stats)) != 0;
  use.resident = StatmBytes(kResidentField);
  return use;
}

void CheckEnd(const MemoryUse& start, const MemoryUse& end, size_t allowed) {
  if (library.check_heap != nullptr && library.check_heap() != 0) {
    ReportError("hakmem_check_heap finds faults at the end");
  }
  // A library without it keeps what it likes.
  if (library.collect != nullptr) {
    WantAtMost("resident memory", end.resident, start.resident + allowed);
  }
  if (!start.has_stats || !end.has_stats) return;
  WantAtMost("live memory", end.stats.live_bytes, start.stats.live_bytes);
  WantAtMost("committed memory", end.stats.committed_bytes,
             start.stats.committed_bytes + allowed);
}

}  // namespace hakmem::soak
