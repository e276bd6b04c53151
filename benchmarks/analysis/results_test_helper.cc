#include "benchmarks/analysis/results_test_helper.h"

#include <utility>

#include "benchmarks/harness/catalogue.h"
#include "benchmarks/harness/metrics.h"

namespace hakmem::bench {
namespace {

constexpr double kMib = 1 << 20;

// What an allocator needs in a workload.
struct Cost {
  double ns;
  double peak_mib;
};

// Others, and what HAKMEM is asked to stay below.
Cost CostOf(const Case& a_case, size_t who) {
  const bool is_few = a_case.key == "random-mixed-256";
  const bool is_many = a_case.key == "random-mixed-8192";
  const double best = is_few ? 12 : is_many ? 15 : 100;
  switch (who) {
    case kFloor:
      return {8, 5};
    case kSegment:
      return {is_few ? 10.3 : is_many ? 11.8 : 79, 9};
    case kSuperslab:
      return {is_few                                    ? 10.6
              : is_many                                 ? 12.55
              : a_case.key == "random-mixed-64-threads" ? 140
                                                        : 106,
              11.2};
    case kGlibc:
      return {best * 1.02, 9};
    case kMimalloc:
      return {best, 10};
    default:
      return {best * 1.5, 20};
  }
}

Values MemoryOf(const Case& a_case, size_t who) {
  if (a_case.key == "idle") {
    return {{"resident_settled", 1024.0 * (who == kSegment     ? 1400
                                           : who == kSuperslab ? 1500
                                                               : 1000)}};
  }
  if (a_case.key == "asymmetric" || a_case.key.starts_with("grow-")) {
    return {{"resident_growth", who == kSuperslab ? 1.06 : 1.04}};
  }
  if (a_case.key == "idle-hundreds") {
    return {{"idle_thread", who == kSuperslab ? 66'000 : 65'000}};
  }
  if (a_case.key == "call-latency") {
    return {{"call_beyond_faults", who == kSuperslab ? 301'000 : 299'000}};
  }
  return {};
}

}  // namespace

std::vector<Allocator> MakeAllocators() {
  std::vector<Allocator> all(6);
  const char* const keys[] = {"floor", "segment",  "superslab",
                              "glibc", "mimalloc", "jemalloc"};
  for (size_t who = 0; who < all.size(); ++who) {
    all[who].key = keys[who];
    all[who].title = keys[who];
    all[who].library = std::string("/home/x/") + keys[who] + ".so";
    all[who].version = "1";
  }
  all[kFloor].role = Allocator::kFloor;
  for (const size_t ours : {kSegment, kSuperslab}) {
    all[ours].role = Allocator::kOurs;
    all[ours].title = "HAKMEM " + all[ours].key;
    all[ours].back_end = all[ours].key;
  }
  all[kGlibc].is_system = true;
  return all;
}

Measurements MakeMeasurements() {
  return {.allocators = MakeAllocators(),
          .cases = CatalogueCases(/*quick=*/false, 100, 5),
          .cores = 2};
}

size_t CaseOf(const Measurements& measurements, const std::string& workload) {
  size_t c = 0;
  while (measurements.cases.at(c).key != workload) ++c;
  return c;
}

void AddRun(Measurements& measurements, const std::string& workload, size_t who,
            double ns, double peak_mib, const Values& more) {
  Sample sample;
  sample.a_case = CaseOf(measurements, workload);
  sample.allocator = who;
  sample.values = more;
  sample.values[kTime] = ns;
  sample.values["ops_per_second"] = 1e9 / ns;
  sample.values[kPeak] = peak_mib * kMib;
  sample.values["minor_faults"] = 7;
  measurements.samples.push_back(std::move(sample));
}

void AddRuns(Measurements& measurements, const std::string& workload,
             size_t who, double ns, double peak_mib, const Values& more) {
  for (uint64_t run = 0; run < 6; ++run) {
    const double noise = 1 + static_cast<double>(run) * 0.001;
    AddRun(measurements, workload, who, ns * noise, peak_mib * noise, more);
    measurements.samples.back().repeat = run;
  }
}

void Forget(Measurements& measurements, const std::string& workload,
            size_t who) {
  const size_t a_case = CaseOf(measurements, workload);
  std::erase_if(measurements.samples, [&](const Sample& sample) {
    return sample.a_case == a_case && sample.allocator == who;
  });
}

void AddFailure(Measurements& measurements, const std::string& workload,
                size_t who, const std::string& why) {
  Sample sample;
  sample.a_case = CaseOf(measurements, workload);
  sample.allocator = who;
  sample.failure = why;
  measurements.samples.push_back(std::move(sample));
}

Measurements MakeGoodAndBad() {
  Measurements measurements = MakeMeasurements();
  for (const Case& a_case : measurements.cases) {
    for (size_t who = 0; who < measurements.allocators.size(); ++who) {
      if (!TakesPart(measurements.allocators[who], a_case)) continue;
      const Cost cost = CostOf(a_case, who);
      AddRuns(measurements, a_case.key, who, cost.ns, cost.peak_mib,
              MemoryOf(a_case, who));
    }
  }
  return measurements;
}

RunInfo MakeInfo(const std::string& suite) {
  RunInfo info;
  info.suite = FindSuite(suite);
  info.command = "compare --suite=" + suite + " --peer=x=PATH/<x>.so";
  info.started = "2026-11-29T17:00:00Z";
  info.seconds = 12.34;
  info.repeats = 6;
  info.machine.cpu = "A <fast> one";
  info.machine.cores = 2;
  Allocator tcmalloc{.key = "tcmalloc", .title = "tcmalloc"};
  info.absent = {{std::move(tcmalloc), "not <installed>"}};
  return info;
}

}  // namespace hakmem::bench
