#include "benchmarks/harness/bench_cases.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "benchmarks/harness/worker_case.h"

namespace hakmem::bench {
namespace {

constexpr char kSmallWorker[] = "benchmarks/workloads/small/small_worker";
constexpr char kThreadsWorker[] = "benchmarks/workloads/threads/threads_worker";
constexpr char kMemoryWorker[] = "benchmarks/workloads/memory/memory_worker";
constexpr char kAceWorker[] = "benchmarks/workloads/large/ace_worker";
constexpr char kLargeWorker[] = "benchmarks/workloads/large/large_worker";
constexpr char kProgramsWorker[] =
    "benchmarks/workloads/programs/programs_worker";

// Those that take ten seconds, or mostly sleep.
constexpr uint64_t kSlow = 5;

// A workload that its worker knows by its name.
struct Entry {
  const char* kind;
  const char* worker;
  const char* name;
  const char* operation;  // what one is
  bool quick = false;     // whether the quick suite has it
  uint64_t every = 1;
  uint64_t quick_percent = 100;  // of the effort, in the quick suite
  bool timed = true;
};

// As much as most workloads use, at most; a heap that grows takes what it gets.
constexpr uint64_t kWarmMib = 384;

constexpr char kStep[] = "a block made or freed";
constexpr char kPair[] = "a block made and freed";
constexpr char kHanded[] = "a block made by one thread and freed by another";

constexpr Entry kEntries[] = {
    {kSmall, kSmallWorker, "lognormal-256", kStep},
    {kSmall, kSmallWorker, "lognormal-8192", kStep, true},
    {kSmall, kSmallWorker, "lognormal-65536", kStep},
    {kSmall, kSmallWorker, "lognormal-1048576", kStep},
    {kSmall, kSmallWorker, "batch-in-order", kPair},
    {kSmall, kSmallWorker, "batch-reversed", kPair},
    {kSmall, kSmallWorker, "batch-shuffled", kPair, true},
    {kSmall, kSmallWorker, "map", "the life of a node of a std::map", true},
    {kSmall, kSmallWorker, "unordered-map",
     "the life of a node of a std::unordered_map"},
    {kSmall, kSmallWorker, "string-append", "an append to a string"},
    {kSmall, kSmallWorker, "expression-trees", "the life of a node of a tree"},

    {kThreads, kThreadsWorker, "pipe-1-1", kHanded, true},
    {kThreads, kThreadsWorker, "pipe-4-4", kHanded},
    {kThreads, kThreadsWorker, "server",
     "a block replaced among those that an ended thread has left", true},
    {kThreads, kThreadsWorker, "churn",
     "a block of a thread that ends soon, made and freed"},
    {kThreads, kThreadsWorker, "false-sharing-active",
     "a block made, written to and freed"},
    {kThreads, kThreadsWorker, "false-sharing-passive",
     "a block made, written to and freed"},
    {kThreads, kThreadsWorker, "asymmetric", kHanded, true},

    {kMemory, kMemoryWorker, "grow-in-order-same", kPair, false, kSlow},
    {kMemory, kMemoryWorker, "grow-in-order-others", kPair, false, kSlow},
    {kMemory, kMemoryWorker, "grow-in-order-ended", kPair, false, kSlow},
    {kMemory, kMemoryWorker, "grow-shuffled-same", kPair, false, kSlow},
    {kMemory, kMemoryWorker, "grow-shuffled-others", kPair, true, kSlow, 40},
    {kMemory, kMemoryWorker, "grow-shuffled-ended", kPair, false, kSlow},
    {kMemory, kMemoryWorker, "thin-out", kPair, true},
    {kMemory, kMemoryWorker, "drift", kPair, true},

    {kLarge, kAceWorker, "steady-64", kPair, true},
    {kLarge, kAceWorker, "steady-4096", kPair, true},
    {kLarge, kAceWorker, "phase-shift", kPair},
    {kLarge, kAceWorker, "bursts", kPair, false, kSlow},
    {kLarge, kAceWorker, "messages", kHanded},
    {kLarge, kAceWorker, "realloc", "a realloc of a growing vector", true},
    {kLarge, kLargeWorker, "large-blocks", kPair, true},
    {kLarge, kLargeWorker, "realloc-ladder", "a realloc by a small step"},

    {kStart, kProgramsWorker, "start-true", "a run of /bin/true", true},
    {kStart, kProgramsWorker, "idle", "a process that sleeps", true, 1, 100,
     /*timed=*/false},

    {kPrograms, kProgramsWorker, "redis", "a request to redis-server", true},
    {kPrograms, kProgramsWorker, "python-json", "a document", true},
    {kPrograms, kProgramsWorker, "python-dict", "a step of work on dicts"},
    {kPrograms, kProgramsWorker, "python-threads",
     "a chunk passed between threads"},
    {kPrograms, kProgramsWorker, "gxx", "a function compiled by g++"},
    {kPrograms, kProgramsWorker, "clang", "a function compiled by clang"},
    {kPrograms, kProgramsWorker, "sqlite", "a row inserted", true},
    {kPrograms, kProgramsWorker, "lua", "a step of the script"},
    {kPrograms, kProgramsWorker, "ghostscript", "a page drawn"},
    {kPrograms, kProgramsWorker, "git-gc", "a commit packed"},
    {kPrograms, kProgramsWorker, "zstd", "a KiB compressed"},
};

// Of random-mixed, all threads together; half of it where it fills the caches.
constexpr uint64_t kOperations = 4'000'000;
constexpr uint64_t kMany = 65536;
constexpr uint64_t kSlotsOfThreads = 1024;

Case RandomMixed(const char* kind, std::string name, uint64_t slots,
                 uint64_t threads, uint64_t effort) {
  const uint64_t all = slots >= kMany ? kOperations / 2 : kOperations;
  Case a_case = RandomMixedCase(
      slots, threads, std::max<uint64_t>(all * effort / 100 / threads, 1));
  a_case.kind = kind;
  a_case.warm_mib = kWarmMib;
  a_case.workload = std::move(name);
  a_case.operation = "a block made or freed, 16 to 1040 bytes";
  a_case.left_out = PoolVariants();
  return a_case;
}

void AddRandomMixed(bool quick, uint64_t effort, std::vector<Case>& cases) {
  const std::vector<uint64_t> sets =
      quick ? std::vector<uint64_t>{256, 8192, 65536}
            : std::vector<uint64_t>{64,    256,   1024,   4096,   8192,
                                    16384, 65536, 262144, 1048576};
  for (const uint64_t slots : sets) {
    cases.push_back(
        RandomMixed(kSmall, RandomMixedName(slots), slots, 1, effort));
  }
  const std::vector<uint64_t> counts =
      quick ? std::vector<uint64_t>{1, 2, 16}
            : std::vector<uint64_t>{1, 2, 4, 16, 64};
  for (const uint64_t threads : counts) {
    cases.push_back(RandomMixed(kThreads, RandomMixedThreadsName(threads),
                                kSlotsOfThreads, threads, effort));
  }
}

Case NamedCase(const Entry& entry, bool quick, uint64_t effort) {
  Case a_case = {0, 0, entry.name, entry.operation, entry.every};
  a_case.kind = entry.kind;
  a_case.timed = entry.timed;
  a_case.warm_mib = kWarmMib;
  // There is no loop to leave out of these.
  a_case.left_out = {"floor"};
  if (a_case.kind != kLarge) {
    const std::vector<std::string>& pools = PoolVariants();
    a_case.left_out.insert(a_case.left_out.end(), pools.begin(), pools.end());
  }
  const uint64_t percent = quick ? entry.quick_percent : 100;
  return WorkerCase(entry.worker, std::move(a_case),
                    std::max<uint64_t>(effort * percent / 100, 1));
}

size_t KindIndex(const std::string& kind) {
  const std::vector<std::string>& kinds = KindNames();
  return static_cast<size_t>(std::find(kinds.begin(), kinds.end(), kind) -
                             kinds.begin());
}

}  // namespace

const std::vector<std::string>& KindNames() {
  static const auto* const names = new std::vector<std::string>{
      kSmall, kThreads, kMemory, kLarge, kStart, kPrograms};
  return *names;
}

const std::vector<std::string>& PoolVariants() {
  static const auto* const names =
      new std::vector<std::string>{"segment-ace_fixed", "segment-ace_off",
                                   "superslab-ace_fixed", "superslab-ace_off"};
  return *names;
}

std::string RandomMixedName(uint64_t slots) {
  return absl::StrCat("random-mixed-", slots);
}

std::string RandomMixedThreadsName(uint64_t threads) {
  return absl::StrCat("random-mixed-", threads,
                      threads == 1 ? "-thread" : "-threads");
}

std::vector<Case> BenchCases(bool quick, uint64_t effort) {
  std::vector<Case> cases;
  AddRandomMixed(quick, effort, cases);
  for (const Entry& entry : kEntries) {
    if (!quick || entry.quick) {
      cases.push_back(NamedCase(entry, quick, effort));
    }
  }
  std::stable_sort(cases.begin(), cases.end(),
                   [](const Case& left, const Case& right) {
                     return KindIndex(left.kind) < KindIndex(right.kind);
                   });
  return cases;
}

}  // namespace hakmem::bench
