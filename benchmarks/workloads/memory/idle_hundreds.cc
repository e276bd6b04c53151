#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/log_uniform.h"
#include "benchmarks/worker/process_meter.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/memory/crew.h"
#include "benchmarks/workloads/memory/light.h"
#include "benchmarks/workloads/memory/memory.h"

namespace hakmem::bench {
namespace {

constexpr size_t kThreads = 500;
constexpr LogUniform kSizes(16, size_t{32} << 10);
constexpr size_t kSlots = 128;
constexpr uint64_t kReplacements = 2'000;
constexpr uint64_t kWaitNanoseconds = 3'000'000'000;

// What the work and what it calls use of a thread's stack is not the
// allocator's.
[[gnu::noinline]] void TouchStack() {
  volatile char stack[size_t{20} << 10];
  for (size_t i = 0; i < sizeof(stack); i += 1024) stack[i] = 1;
}

void Work(uint64_t seed, uint64_t thread, uint64_t replacements) {
  Random random(seed * kThreads + thread);
  BlockArray blocks(kSlots, thread << 40);
  for (; replacements != 0; --replacements) {
    blocks.Replace(random.Below(kSlots), kSizes.Draw(random));
  }
}

}  // namespace

void IdleHundreds(Run& run) {
  const uint64_t replacements = run.Scaled(kReplacements);
  Crew crew(kThreads);
  const auto touch = [](size_t) { TouchStack(); };
  crew.Begin(touch);
  crew.Wait();
  const auto resident_before = static_cast<double>(ResidentKib());
  const auto work = [&](size_t thread) {
    Work(run.seed(), thread, replacements);
  };
  run.Start();
  crew.Begin(work);
  crew.Wait();
  run.Stop();
  run.Count(kThreads * replacements);
  LightActivity(run.seed(), kWaitNanoseconds);
  const auto resident_after = static_cast<double>(ResidentKib());
  run.Finish();
  run.Report("resident_before_kib", resident_before);
  run.Report("resident_after_kib", resident_after);
  run.Report("live_after_kib", 0);
  const double kept = resident_after - resident_before;
  run.Report("idle_thread_kib", kept < 0 ? 0 : kept / kThreads);
}

}  // namespace hakmem::bench
