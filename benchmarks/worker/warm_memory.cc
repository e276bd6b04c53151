#include "benchmarks/worker/warm_memory.h"

#include <sys/mman.h>
#include <sys/sysinfo.h>

#include <algorithm>

#include "benchmarks/worker/map_memory.h"

namespace hakmem::bench {

void WarmMemory(uint64_t mib) {
  constexpr uint64_t kMiB = uint64_t{1} << 20;
  constexpr uint64_t kPage = 4096;
  struct sysinfo info = {};
  if (sysinfo(&info) != 0) return;
  const uint64_t bytes =
      std::min(mib * kMiB, uint64_t{info.freeram} * info.mem_unit / 2);
  auto* const memory = static_cast<volatile char*>(MapMemory(bytes));
  if (memory == nullptr) return;
  // Refused where there are none; then small pages do it.
  (void)madvise(const_cast<char*>(memory), bytes, MADV_HUGEPAGE);
  for (uint64_t at = 0; at < bytes; at += kPage) memory[at] = 1;
  UnmapMemory(const_cast<char*>(memory), bytes);
}

}  // namespace hakmem::bench
