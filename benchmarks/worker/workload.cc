#include "benchmarks/worker/workload.h"

#include <stdlib.h>
#include <string.h>

#include "benchmarks/worker/process_meter.h"

namespace hakmem::bench {
namespace {

struct Flags {
  const char* workload = nullptr;
  uint64_t seed = 1;
  uint64_t effort = 100;
  bool probe = false;
};

Flags ParseFlags(int argc, char** argv) {
  static constexpr char kWorkload[] = "--workload=";
  Flags flags;
  for (int i = 1; i < argc; ++i) {
    const char* const argument = argv[i];
    if (strcmp(argument, "--probe") == 0) {
      flags.probe = true;
    } else if (strncmp(argument, kWorkload, sizeof(kWorkload) - 1) == 0) {
      flags.workload = argument + sizeof(kWorkload) - 1;
    } else if (!ParseNumberFlag(argument, "--seed", 0, UINT32_MAX,
                                &flags.seed) &&
               !ParseNumberFlag(argument, "--effort", 1, 10'000,
                                &flags.effort)) {
      Die(kBadFlags, "%s: unknown argument", argument);
    }
  }
  return flags;
}

// A block of each order of magnitude, so that an allocator which crashes at
// once shows it here.
void AllocateALittle(Run& run) {
  run.Start();
  for (size_t size = 16; size <= size_t{1} << 20; size *= 4) {
    void* const block = malloc(size);
    if (block == nullptr) Die(kAllocatorFailed, "out of memory");
    memset(block, 1, size);
    free(block);
    run.Count(1);
  }
  run.Stop();
  run.Finish();
}

const Workload& Find(const Workload* workloads, size_t count,
                     const char* name) {
  if (name == nullptr) Die(kBadFlags, "--workload=NAME is missing");
  for (size_t i = 0; i < count; ++i) {
    if (strcmp(workloads[i].name, name) == 0) return workloads[i];
  }
  Die(kBadFlags, "--workload=%s: no such workload", name);
}

}  // namespace

Run::Run(uint64_t seed, uint64_t effort)
    : seed_(seed), effort_(effort), faults_before_(MinorFaults()) {}

uint64_t Run::Scaled(uint64_t usual) const {
  const uint64_t scaled = usual * effort_ / 100;
  return scaled == 0 ? 1 : scaled;
}

// What the clocks show is taken from the sums at Start and added at Stop.
void Run::Start() {
  cpu_ns_ -= ClockNanoseconds(CLOCK_PROCESS_CPUTIME_ID);
  wall_ns_ -= ClockNanoseconds(CLOCK_MONOTONIC);
}

void Run::Stop() {
  wall_ns_ += ClockNanoseconds(CLOCK_MONOTONIC);
  cpu_ns_ += ClockNanoseconds(CLOCK_PROCESS_CPUTIME_ID);
}

void Run::Finish() {
  peak_kib_ = PeakResidentKib();
  faults_ = MinorFaults() - faults_before_;
  facts_ = ReadAllocatorFacts();
}

void Run::FinishWith(const Used& used) {
  wall_ns_ = used.wall_ns;
  cpu_ns_ = used.cpu_ns;
  peak_kib_ = used.peak_rss_kib;
  faults_ = used.minor_faults;
  facts_.version = ReadAllocatorFacts().version;
}

void Run::Report(const char* key, double value) {
  if (figure_count_ == sizeof(figures_) / sizeof(figures_[0])) {
    Die(kAllocatorFailed, "more figures than there is room for: %s", key);
  }
  figures_[figure_count_++] = {key, value};
}

void Run::AddPoint(uint64_t live_kib, uint64_t resident_kib) {
  if (points_offered_++ % point_step_ != 0) return;
  if (point_count_ == kMostPoints) {
    // The number of the point at hand is an even multiple of the old step, so
    // it is one of the new step too.
    for (size_t i = 0; i < kMostPoints / 2; ++i) points_[i] = points_[2 * i];
    point_count_ = kMostPoints / 2;
    point_step_ *= 2;
  }
  points_[point_count_++] = {live_kib, resident_kib};
}

void Run::Print(const char* workload, uint64_t threads) const {
  JsonLine line;
  line.AddText("workload", workload);
  line.Add("threads", threads);
  line.Add("operations", operations_);
  line.Add("seed", seed_);
  line.Add("effort", effort_);
  line.Add("wall_ns", wall_ns_);
  line.Add("cpu_ns", cpu_ns_);
  line.Add("peak_rss_kib", peak_kib_);
  line.Add("minor_faults", faults_);
  for (size_t i = 0; i < figure_count_; ++i) {
    line.Add(figures_[i].key, figures_[i].value);
  }
  if (point_count_ != 0) line.AddPoints("series", points_, point_count_);
  line.AddAllocator(facts_);
  line.Close();
}

int WorkerMain(const Workload* workloads, size_t count, int argc, char** argv) {
  static constexpr Workload kProbe = {"probe", 1, AllocateALittle};
  const Flags flags = ParseFlags(argc, argv);
  const Workload& workload =
      flags.probe ? kProbe : Find(workloads, count, flags.workload);
  Run run(flags.seed, flags.effort);
  workload.run(run);
  run.Print(workload.name, workload.threads);
  return 0;
}

}  // namespace hakmem::bench
