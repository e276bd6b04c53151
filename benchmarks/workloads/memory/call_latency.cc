#include <stdlib.h>
#include <sys/resource.h>

#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/process_meter.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/worker/sleep.h"
#include "benchmarks/workloads/memory/available_memory.h"
#include "benchmarks/workloads/memory/fault_price.h"
#include "benchmarks/workloads/memory/heap_sizes.h"
#include "benchmarks/workloads/memory/latencies.h"
#include "benchmarks/workloads/memory/memory.h"

namespace hakmem::bench {
namespace {

constexpr uint64_t kHeapBytes = uint64_t{1} << 30;

// Blocks have 1 KiB on average; a little room beside.
constexpr size_t kBytesPerBlock = 900;

// While the heap grows each so many blocks one is freed, and while it shrinks
// one is made.
constexpr uint64_t kCounterEvery = 4;

// Calls some time after, which may find housekeeping to do.
constexpr int kLateCalls = 1000;
constexpr uint64_t kLatePause = 1'000'000;

uint64_t FaultsOfThread() {
  rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return static_cast<uint64_t>(usage.ru_minflt);
}

// Calls malloc and free, and notes for each how much time of the processor the
// thread used: others that want the core do not count. Reading the clock, by
// two system calls, is in it.
class TimedCalls {
 public:
  void* Malloc(size_t size) {
    void* block;
    Time([&] { block = malloc(size); });
    return block;
  }
  void Free(void* block) {
    Time([&] { free(block); });
  }

  const Latencies& all() const { return all_; }
  // Less what their page faults cost, at most.
  const Latencies& beyond_faults() const { return beyond_faults_; }

 private:
  template <class Call>
  void Time(const Call& call) {
    const uint64_t faults_before = FaultsOfThread();
    const uint64_t start = ClockNanoseconds(CLOCK_THREAD_CPUTIME_ID);
    call();
    const uint64_t ns = ClockNanoseconds(CLOCK_THREAD_CPUTIME_ID) - start;
    all_.Add(ns);
    const uint64_t paid = price_.Of(FaultsOfThread() - faults_before);
    beyond_faults_.Add(ns < paid ? 0 : ns - paid);
  }

  const FaultPrice price_ = MeasureFaultPrice();
  Latencies all_;
  Latencies beyond_faults_;
};

class Heap {
 public:
  Heap(TimedCalls& calls, uint64_t seed, uint64_t bytes)
      : calls_(calls),
        random_(seed),
        bytes_(bytes),
        blocks_(bytes / kBytesPerBlock + 64) {}

  void Grow() {
    while (blocks_.live_bytes() < bytes_ && count_ < blocks_.count()) {
      MakeOne();
      if (random_.Below(kCounterEvery) == 0) FreeOne();
    }
  }
  void Shrink() {
    while (count_ != 0) {
      FreeOne();
      if (random_.Below(kCounterEvery) == 0) MakeOne();
    }
  }

 private:
  void MakeOne() {
    const size_t size = DrawHeapSize(random_);
    const Block block = {static_cast<unsigned char*>(calls_.Malloc(size)), size,
                         DistinctTag(++made_)};
    if (block.data == nullptr) {
      Die(kAllocatorFailed, "out of memory: no block of %zu bytes", size);
    }
    block.Touch();
    blocks_.Put(count_++, block);
  }
  // A random one; the last takes its place.
  void FreeOne() {
    const size_t i = random_.Below(count_);
    const Block block = blocks_.Take(i);
    --count_;
    if (i != count_) blocks_.Put(i, blocks_.Take(count_));
    block.CheckEnds();
    calls_.Free(block.data);
  }

  TimedCalls& calls_;
  Random random_;
  const uint64_t bytes_;
  BlockArray blocks_;
  size_t count_ = 0;  // the blocks there are are the first
  uint64_t made_ = 0;
};

}  // namespace

void CallLatency(Run& run) {
  const uint64_t bytes = run.Scaled(kHeapBytes);
  RequireAvailable(bytes);
  static TimedCalls calls;  // too large for a stack
  Heap heap(calls, run.seed(), bytes);
  run.Start();
  heap.Grow();
  heap.Shrink();
  run.Stop();
  Random random(run.seed());
  for (int i = 0; i < kLateCalls; ++i) {
    Sleep(kLatePause);
    calls.Free(calls.Malloc(DrawHeapSize(random)));
  }
  run.Count(calls.all().count());
  run.Finish();
  run.Report("call_p999_ns", static_cast<double>(calls.all().AllBut(0.001)));
  run.Report("call_longest_ns", static_cast<double>(calls.all().longest()));
  run.Report("call_beyond_faults_ns",
             static_cast<double>(calls.beyond_faults().longest()));
}

}  // namespace hakmem::bench
