#include "base/os/processors.h"

#include <sys/syscall.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <iterator>

#include "base/os/system_call.h"

namespace hakmem {
namespace {

// Of a machine with more the kernel refuses to tell; it is taken for as many.
constexpr uint32_t kMaxProcessors = 4096;

// relaxed: a number that orders nothing.
constinit std::atomic<uint32_t> processors{1};

}  // namespace

uint32_t Processors() { return processors.load(std::memory_order_relaxed); }

void ReadProcessors() {
  uint64_t mask[kMaxProcessors / 64] = {};
  const long bytes = SystemCall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
  uint32_t count = 0;
  for (const uint64_t word : mask) {
    count += static_cast<uint32_t>(std::popcount(word));
  }
  if (bytes <= 0) count = kMaxProcessors;
  processors.store(std::max(count, 1u), std::memory_order_relaxed);
}

}  // namespace hakmem
