#include "benchmarks/workloads/programs/usage.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <algorithm>

#include "benchmarks/worker/process_meter.h"

namespace hakmem::bench {
namespace {

uint64_t Nanoseconds(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<uint64_t>(time.tv_usec) * 1000;
}

}  // namespace

Used WaitFor(pid_t child, uint64_t started, int* status) {
  rusage usage = {};
  while (wait4(child, status, 0, &usage) < 0) {
    if (errno != EINTR) {
      Die(kCannotRun, "cannot wait for a program: %s", strerror(errno));
    }
  }
  return {ClockNanoseconds(CLOCK_MONOTONIC) - started,
          Nanoseconds(usage.ru_utime) + Nanoseconds(usage.ru_stime),
          static_cast<uint64_t>(usage.ru_maxrss),
          static_cast<uint64_t>(usage.ru_minflt)};
}

void Add(const Used& used, Used& sum) {
  sum.wall_ns += used.wall_ns;
  sum.cpu_ns += used.cpu_ns;
  sum.peak_rss_kib = std::max(sum.peak_rss_kib, used.peak_rss_kib);
  sum.minor_faults += used.minor_faults;
}

}  // namespace hakmem::bench
