#include "benchmarks/harness/catalogue.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hakmem::bench {
namespace {

// A workload that its worker knows by its name.
struct CatalogueEntry {
  const char* name;
  uint64_t threads;
  const char* operation;         // what one is
  const char* kind = nullptr;    // null: that of the folder
  bool quick = false;            // for a quick look, too
  bool slow = false;             // takes ten seconds, or mostly sleeps
  uint64_t quick_percent = 100;  // of the effort, in a quick look
  bool timed = true;             // false: its memory alone counts
  const char* curve = "";        // of Curves(), and where on it
  double x = 0;
};

#define WORKLOAD(key, function, thread_count, what, ...) \
  {.name = key,                                          \
   .threads = thread_count,                              \
   .operation = what __VA_OPT__(, ) __VA_ARGS__},

constexpr CatalogueEntry kSmallEntries[] = {
#include "benchmarks/workloads/small/small.def"
};
constexpr CatalogueEntry kThreadsEntries[] = {
#include "benchmarks/workloads/threads/threads.def"
};
constexpr CatalogueEntry kMemoryEntries[] = {
#include "benchmarks/workloads/memory/memory.def"
};
constexpr CatalogueEntry kLargeEntries[] = {
#include "benchmarks/workloads/large/large.def"
};
constexpr CatalogueEntry kProgramsEntries[] = {
#include "benchmarks/workloads/programs/programs.def"
};

#undef WORKLOAD

// As much as most workloads use, at most; a heap that grows takes what it gets.
constexpr uint64_t kWarmMib = 384;

constexpr char kOperation[] = "a block made or freed, 16 to 1040 bytes";
constexpr char kSlotsCurve[] = "random-mixed-slots";
constexpr char kThreadsCurve[] = "random-mixed-threads";

// Of random-mixed, all threads together; half of it where it fills the caches.
constexpr uint64_t kOperations = 4'000'000;
constexpr uint64_t kMany = 65536;
constexpr uint64_t kSlotsOfThreads = 1024;
constexpr uint64_t kSlotsOfMidMix = 4096;

std::string ThreadsText(uint64_t threads) {
  return absl::StrCat(threads, threads == 1 ? " thread" : " threads");
}

Case RandomMixed(std::string key, uint64_t slots, uint64_t threads,
                 uint64_t operations) {
  Case a_case;
  a_case.key = std::move(key);
  a_case.title =
      absl::StrCat("random-mixed, ", slots, " slots, ", ThreadsText(threads));
  a_case.kind = threads == 1 ? kSmall : kThreads;
  a_case.operation = kOperation;
  a_case.threads = threads;
  a_case.worker = kRandomMixedWorker;
  a_case.arguments = {absl::StrCat("--slots=", slots),
                      absl::StrCat("--threads=", threads),
                      absl::StrCat("--operations=", operations)};
  a_case.limit = std::chrono::milliseconds(60'000 + (operations + 16 * slots) *
                                                        threads / 500);
  a_case.per_core = true;
  a_case.floor = true;
  return a_case;
}

void AddRandomMixed(bool quick, uint64_t effort, std::vector<Case>& cases) {
  const auto add = [&](std::string key, uint64_t slots, uint64_t threads,
                       const char* kind, const char* curve, uint64_t x) {
    const uint64_t all = slots >= kMany ? kOperations / 2 : kOperations;
    Case a_case =
        RandomMixed(std::move(key), slots, threads,
                    std::max<uint64_t>(all * effort / 100 / threads, 1));
    a_case.kind = kind;
    a_case.warm_mib = kWarmMib;
    a_case.curve = curve;
    a_case.x = static_cast<double>(x);
    cases.push_back(std::move(a_case));
  };
  const std::vector<uint64_t> sets =
      quick ? std::vector<uint64_t>{256, 8192, 65536}
            : std::vector<uint64_t>{64,    256,   1024,   4096,   8192,
                                    16384, 65536, 262144, 1048576};
  for (const uint64_t slots : sets) {
    add(RandomMixedKey(slots), slots, 1, kSmall, kSlotsCurve, slots);
  }
  const std::vector<uint64_t> counts =
      quick ? std::vector<uint64_t>{1, 2, 16}
            : std::vector<uint64_t>{1, 2, 4, 16, 64};
  for (const uint64_t threads : counts) {
    add(RandomMixedThreadsKey(threads), kSlotsOfThreads, threads, kThreads,
        kThreadsCurve, threads);
  }
}

// The mid mix: the steps of random-mixed with sizes of 16 to 32,000 bytes.
Case MidMix(uint64_t effort) {
  Case a_case = RandomMixed("mid-mix", kSlotsOfMidMix, 1,
                            std::max<uint64_t>(kOperations * effort / 100, 1));
  a_case.title = a_case.key;
  a_case.kind = kLarge;
  a_case.operation = "a block made or freed, 16 to 32,000 bytes";
  a_case.arguments.push_back("--mid");
  a_case.warm_mib = kWarmMib;
  a_case.pool_variants = true;
  return a_case;
}

size_t KindIndex(const std::string& kind) {
  const std::vector<Kind>& kinds = Kinds();
  return static_cast<size_t>(
      std::find_if(kinds.begin(), kinds.end(),
                   [&](const Kind& each) { return kind == each.key; }) -
      kinds.begin());
}

}  // namespace

const std::vector<Kind>& Kinds() {
  static const auto* const kinds = new std::vector<Kind>{
      {kSmall, "Small blocks, one thread"},
      {kThreads, "Several threads"},
      {kMemory, "Memory held and given back"},
      {kLarge, "Mid-sized and large blocks"},
      {kStart, "Starting a program"},
      {kPrograms, "Whole programs"},
  };
  return *kinds;
}

const std::vector<Curve>& Curves() {
  static const auto* const curves = new std::vector<Curve>{
      {kSlotsCurve, "random-mixed: time over working set", "slots"},
      {"lognormal-slots", "log-normal sizes: time over working set", "slots"},
      {kThreadsCurve, "random-mixed: time of a core over threads", "threads"},
  };
  return *curves;
}

std::string GridKey(uint64_t slots, uint64_t threads) {
  return threads == 1
             ? RandomMixedKey(slots)
             : absl::StrCat("random-mixed-", slots, "-", threads, "-threads");
}

std::string RandomMixedKey(uint64_t slots) {
  return absl::StrCat("random-mixed-", slots);
}

std::string RandomMixedThreadsKey(uint64_t threads) {
  return absl::StrCat("random-mixed-", threads,
                      threads == 1 ? "-thread" : "-threads");
}

Case GridCase(uint64_t slots, uint64_t threads, uint64_t operations) {
  return RandomMixed(GridKey(slots, threads), slots, threads, operations);
}

std::vector<Case> CatalogueCases(bool quick, uint64_t effort,
                                 uint64_t slow_every) {
  std::vector<Case> cases;
  AddRandomMixed(quick, effort, cases);
  const auto add = [&](const char* kind, const auto& entries) {
    for (const CatalogueEntry& entry : entries) {
      if (quick && !entry.quick) continue;
      const uint64_t work = std::max<uint64_t>(
          effort * (quick ? entry.quick_percent : 100) / 100, 1);
      Case a_case;
      a_case.key = entry.name;
      a_case.title = entry.name;
      a_case.kind = entry.kind == nullptr ? kind : entry.kind;
      a_case.operation = entry.operation;
      a_case.threads = entry.threads;
      a_case.worker =
          absl::StrCat("benchmarks/workloads/", kind, "/", kind, "_worker");
      a_case.arguments = {absl::StrCat("--workload=", entry.name),
                          absl::StrCat("--effort=", work)};
      a_case.limit = std::chrono::seconds(60 + 3 * work);
      a_case.every = entry.slow ? slow_every : 1;
      a_case.warm_mib = kWarmMib;
      a_case.timed = entry.timed;
      a_case.pool_variants = std::strcmp(kind, kLarge) == 0;
      a_case.curve = entry.curve;
      a_case.x = entry.x;
      cases.push_back(std::move(a_case));
    }
  };
  add(kSmall, kSmallEntries);
  add(kThreads, kThreadsEntries);
  add(kMemory, kMemoryEntries);
  cases.push_back(MidMix(effort));
  add(kLarge, kLargeEntries);
  add(kPrograms, kProgramsEntries);
  std::stable_sort(cases.begin(), cases.end(),
                   [](const Case& left, const Case& right) {
                     return KindIndex(left.kind) < KindIndex(right.kind);
                   });
  return cases;
}

}  // namespace hakmem::bench
