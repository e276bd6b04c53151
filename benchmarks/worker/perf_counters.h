// Hardware event counters of this process and the threads it starts, user
// code only, by perf_event_open. Many kernels and most virtual machines refuse
// some or all of them; then Read() says so instead of giving a number.
// Allocates nothing.
#ifndef HAKMEM_BENCHMARKS_WORKER_PERF_COUNTERS_H_
#define HAKMEM_BENCHMARKS_WORKER_PERF_COUNTERS_H_

namespace hakmem::bench {

class PerfCounters {
 public:
  enum Event { kCacheMisses, kDtlbMisses, kInstructions, kEvents };

  // Opens the counters, stopped. Threads started later are counted too.
  PerfCounters();
  ~PerfCounters();
  PerfCounters(const PerfCounters&) = delete;
  PerfCounters& operator=(const PerfCounters&) = delete;

  void Start();
  void Stop();

  // Events between Start and Stop, scaled up if the kernel had to share the
  // counter; -1 when the kernel does not count them.
  double Read(Event event) const;

  // errno of the first event refused, 0 when none was.
  int error() const { return error_; }

 private:
  int descriptors_[kEvents];
  int error_ = 0;
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKER_PERF_COUNTERS_H_
