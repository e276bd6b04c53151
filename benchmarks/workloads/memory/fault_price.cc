#include "benchmarks/workloads/memory/fault_price.h"

#include <sys/mman.h>

#include <algorithm>

#include "benchmarks/worker/map_memory.h"
#include "benchmarks/worker/process_meter.h"

namespace hakmem::bench {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kHugePage = uint64_t{2} << 20;

// Of the middle one, when pages so far apart are touched that are advised so.
uint64_t MiddlePrice(uint64_t step, int advice) {
  constexpr size_t kTimes = 9;
  const uint64_t bytes = (kTimes + 1) * step;
  void* const memory = MapMemory(bytes);
  if (memory == nullptr) return 0;
  const uint64_t begin =
      (reinterpret_cast<uint64_t>(memory) + step - 1) / step * step;
  auto* const pages = reinterpret_cast<volatile char*>(begin);
  (void)madvise(memory, bytes, advice);
  uint64_t prices[kTimes];
  for (size_t i = 0; i < kTimes; ++i) {
    const uint64_t start = ClockNanoseconds(CLOCK_THREAD_CPUTIME_ID);
    pages[i * step] = 1;
    prices[i] = ClockNanoseconds(CLOCK_THREAD_CPUTIME_ID) - start;
  }
  UnmapMemory(memory, bytes);
  std::nth_element(prices, prices + kTimes / 2, prices + kTimes);
  return prices[kTimes / 2];
}

}  // namespace

FaultPrice MeasureFaultPrice() {
  const uint64_t small = MiddlePrice(kPage, MADV_NOHUGEPAGE);
  return {small, std::max(small, MiddlePrice(kHugePage, MADV_HUGEPAGE))};
}

}  // namespace hakmem::bench
