#include "benchmarks/worker/perf_counters.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace hakmem::bench {
namespace {

struct EventCode {
  uint32_t type;
  uint64_t config;
};

constexpr EventCode kCodes[PerfCounters::kEvents] = {
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
    {PERF_TYPE_HW_CACHE, PERF_COUNT_HW_CACHE_DTLB |
                             (PERF_COUNT_HW_CACHE_OP_READ << 8) |
                             (PERF_COUNT_HW_CACHE_RESULT_MISS << 16)},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
};

int Open(const EventCode& code) {
  perf_event_attr attributes;
  memset(&attributes, 0, sizeof(attributes));
  attributes.size = sizeof(attributes);
  attributes.type = code.type;
  attributes.config = code.config;
  attributes.disabled = 1;
  attributes.inherit = 1;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  attributes.read_format =
      PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  return static_cast<int>(syscall(SYS_perf_event_open, &attributes, /*pid=*/0,
                                  /*cpu=*/-1, /*group_fd=*/-1,
                                  PERF_FLAG_FD_CLOEXEC));
}

}  // namespace

PerfCounters::PerfCounters() {
  for (int i = 0; i < kEvents; ++i) {
    descriptors_[i] = Open(kCodes[i]);
    if (descriptors_[i] < 0 && error_ == 0) error_ = errno;
  }
}

PerfCounters::~PerfCounters() {
  for (const int descriptor : descriptors_) {
    if (descriptor >= 0) close(descriptor);
  }
}

void PerfCounters::Start() {
  for (const int descriptor : descriptors_) {
    if (descriptor >= 0) ioctl(descriptor, PERF_EVENT_IOC_ENABLE, 0);
  }
}

void PerfCounters::Stop() {
  for (const int descriptor : descriptors_) {
    if (descriptor >= 0) ioctl(descriptor, PERF_EVENT_IOC_DISABLE, 0);
  }
}

double PerfCounters::Read(Event event) const {
  struct {
    uint64_t value;
    uint64_t enabled_ns;
    uint64_t running_ns;
  } counted;
  if (descriptors_[event] < 0 ||
      read(descriptors_[event], &counted, sizeof(counted)) != sizeof(counted) ||
      counted.running_ns == 0) {
    return -1;
  }
  return static_cast<double>(counted.value) *
         static_cast<double>(counted.enabled_ns) /
         static_cast<double>(counted.running_ns);
}

}  // namespace hakmem::bench
