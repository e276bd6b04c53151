// What a process can read about itself without allocating: clocks, the
// time-stamp counter, peak resident memory, page faults.
#ifndef HAKMEM_BENCHMARKS_WORKER_PROCESS_METER_H_
#define HAKMEM_BENCHMARKS_WORKER_PROCESS_METER_H_

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#if defined(__x86_64__) || defined(__i386__)
#include <x86intrin.h>
#endif

namespace hakmem::bench {

inline uint64_t ClockNanoseconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<uint64_t>(now.tv_nsec);
}

// Ticks of the constant-rate counter that user code can read; 0 on machines
// where this file knows none.
inline uint64_t CycleCounter() {
#if defined(__x86_64__) || defined(__i386__)
  return __rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks;
  asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  return 0;
#endif
}

// The most memory this program has had resident, in KiB, since it was
// executed; 0 when /proc is not there. (getrusage would count what the parent
// had before exec as well.)
uint64_t PeakResidentKib();

// What this program has resident now, in KiB; 0 when /proc is not there. The
// kernel is late by up to some 100 KiB per core.
uint64_t ResidentKib();

// What a process has resident, in KiB, where a page that several share counts
// for each as its part; 0 when the kernel does not tell.
uint64_t ProportionalKib(pid_t process);

// Page faults of the process so far that needed no disk.
uint64_t MinorFaults();

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKER_PROCESS_METER_H_
