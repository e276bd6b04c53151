// Each call to the operating system is refused in turn; only the request that
// needed it may fail.
//
// A deterministic workload runs once to count its calls, then in one forked
// child per failing call. Its own allocations are only those in its table, so
// that every NULL is seen.
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/fault_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

// --- The workload ------------------------------------------------------------

class Workload {
 public:
  // Leaves blocks of every kind allocated.
  void Run() {
    AllocateMany(4000, 1, 1100);
    AllocateMany(150, 2 * kKiB, 32 * kKiB);
    AllocateMany(50, 64 * kKiB, kMiB);
    AllocateMany(10, kMiB + 1, 8 * kMiB);
    FreeEvery(2);
    Hakmem().collect();
    for (const size_t size : {size_t{40}, 5 * kKiB, 90 * kKiB, 3 * kMiB}) {
      for (int i = 0; i < 2; ++i) AllocateZeroed(size);
    }
    for (size_t alignment = 32; alignment <= 8 * kMiB; alignment *= 4) {
      AllocateAligned(alignment, 100);
      AllocateAligned(alignment, 70 * kKiB);
    }
    ReallocateThroughEverySize();
    for (int i = 0; i < 3; ++i) RunThread();
    Fork();
    FreeEvery(3);
    Hakmem().collect();
    AllocateMany(200, 1, 64 * kKiB);
    CheckAll();
  }

  void FreeAll() { FreeEvery(1); }

  uint64_t refusals() const { return refusals_; }

 private:
  static constexpr size_t kMostBlocks = 20'000;

  size_t AnyBetween(size_t least, size_t most) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return least + (state_ >> 33) % (most - least + 1);
  }

  void NoteRefusal(const char* entry, size_t size) {
    EXPECT_EQ(errno, ENOMEM);
    ++refusals_;
    hakmem_failure_t failure;
    ASSERT_EQ(Hakmem().last_failure(&failure, sizeof(failure)), 1);
    EXPECT_GT(failure.sequence, newest_failure_) << entry << " of " << size;
    newest_failure_ = failure.sequence;
    EXPECT_EQ(failure.cause, HAKMEM_CAUSE_MAPFAIL) << entry << " of " << size;
    EXPECT_STREQ(Hakmem().failure_entry_name(failure.entry), entry);
    EXPECT_EQ(failure.size, size);
    EXPECT_EQ(failure.error, ENOMEM);
    EXPECT_GT(failure.os_bytes, 0u);
  }

  // Adds a requested block to the table.
  void Keep(const char* entry, void* address, size_t size) {
    if (address == nullptr) return NoteRefusal(entry, size);
    ASSERT_LT(count_, kMostBlocks);
    blocks_[count_] = {static_cast<char*>(address), size, ++seeds_ << 32};
    blocks_[count_++].Write();
  }

  void AllocateMany(size_t count, size_t least, size_t most) {
    for (size_t i = 0; i < count; ++i) {
      const size_t size = AnyBetween(least, most);
      errno = 0;
      Keep("malloc", Opaque(malloc(size)), size);
    }
  }

  void AllocateZeroed(size_t size) {
    errno = 0;
    char* address = static_cast<char*>(Opaque(calloc(1, size)));
    if (address != nullptr) {
      EXPECT_TRUE(IsZero(address, size)) << size;
    }
    Keep("calloc", address, size);
  }

  void AllocateAligned(size_t alignment, size_t size) {
    errno = 0;
    void* address = Opaque(memalign(alignment, size));
    EXPECT_TRUE(IsAligned(address, alignment)) << alignment;
    Keep("memalign", address, size);
  }

  // Resizes one block up through every kind of memory, and down again.
  void ReallocateThroughEverySize() {
    Block block = {nullptr, 0, ++seeds_ << 32};
    for (const size_t size :
         {size_t{16}, size_t{100}, 3 * kKiB, 50 * kKiB, 700 * kKiB, 3 * kMiB,
          9 * kMiB, 40 * kMiB, 3 * kMiB, 2 * kMiB, 100 * kKiB, 5 * kKiB,
          size_t{10}}) {
      errno = 0;
      void* moved = Opaque(realloc(block.address, size));
      if (moved == nullptr) {
        NoteRefusal("realloc", size);
        EXPECT_TRUE(block.address == nullptr || block.IsWhole(block.size));
        continue;
      }
      block.address = static_cast<char*>(moved);
      EXPECT_TRUE(block.IsWhole(std::min(block.size, size))) << size;
      block.size = size;
      block.Write();
    }
    free(block.address);
  }

  // Leaves half of its blocks for others to free, and frees some of theirs.
  void RunThread() {
    pthread_t thread;
    const auto run = [](void* workload) -> void* {
      auto* self = static_cast<Workload*>(workload);
      const size_t first = self->count_;
      self->AllocateMany(300, 1, 2 * kKiB);
      self->AllocateMany(20, 2 * kKiB, 300 * kKiB);
      self->FreeEvery(2, first);
      self->FreeEvery(9);
      return nullptr;
    };
    // A thread that fails to start is not what is tested here.
    if (pthread_create(&thread, nullptr, run, this) == 0) {
      pthread_join(thread, nullptr);
    }
  }

  // The child checks, frees and allocates blocks, including inherited ones.
  void Fork() {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      AllocateMany(200, 1, 40 * kKiB);
      AllocateMany(3, kMiB, 3 * kMiB);
      CheckAll();
      FreeAll();
      fflush(nullptr);
      _exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "the forked child";
  }

  // Frees every `step`-th block from `first` on.
  void FreeEvery(size_t step, size_t first = 0) {
    size_t kept = first;
    for (size_t i = first; i < count_; ++i) {
      if ((i - first) % step != 0) {
        blocks_[kept++] = blocks_[i];
        continue;
      }
      EXPECT_TRUE(blocks_[i].IsWhole(blocks_[i].size)) << blocks_[i].size;
      free(blocks_[i].address);
    }
    count_ = kept;
  }

  // Every block is intact, and none overlaps another.
  void CheckAll() {
    std::sort(blocks_, blocks_ + count_, [](const Block& a, const Block& b) {
      return a.address < b.address;
    });
    for (size_t i = 0; i < count_; ++i) {
      const Block& block = blocks_[i];
      EXPECT_TRUE(block.IsWhole(block.size)) << block.size;
      if (i + 1 < count_) {
        EXPECT_LE(block.address + block.size, blocks_[i + 1].address);
      }
    }
  }

  uint64_t state_ = 1;
  uint64_t seeds_ = 0;
  uint64_t refusals_ = 0;
  uint64_t newest_failure_ = 0;
  size_t count_ = 0;
  Block blocks_[kMostBlocks];
};

// --- One run, in a child -----------------------------------------------------

// The results of a run in a child, in memory shared with the test.
struct Outcome {
  uint64_t calls;          // to the OS, by the workload
  uint64_t failed;         // of those, made to fail
  uint64_t refusals;       // requests that got NULL
  uint64_t address_space;  // bytes, at the end
  char failed_call[16];    // the kind of the last failure
};

Outcome* const outcome =
    static_cast<Outcome*>(mmap(nullptr, sizeof(Outcome), PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0));

// In the child: runs the workload with `count` calls failing from the `first`
// on, then again without failures.
void RunWithFaults(uint64_t first, uint64_t count) {
  static Workload workload;
  WarmUpThreads(2);
  const uint64_t live = CollectedStats().live_bytes;
  const uint64_t calls = Faults().calls();

  Faults().fail(first, count);
  workload.Run();
  outcome->calls = Faults().calls() - calls;
  outcome->refusals = workload.refusals();
  workload.FreeAll();
  Faults().fail(0, 0);
  outcome->failed = Faults().failed();
  strncpy(outcome->failed_call, Faults().failed_call(),
          sizeof(outcome->failed_call) - 1);
  EXPECT_EQ(CollectedStats().live_bytes, live) << "after the faults";

  workload.Run();
  EXPECT_EQ(workload.refusals(), outcome->refusals) << "without faults";
  workload.FreeAll();
  EXPECT_EQ(CollectedStats().live_bytes, live) << "in the end";
  EXPECT_EQ(HeapProblems(), 0);
  outcome->address_space = AddressSpaceBytes();
}

Outcome RunInChild(uint64_t first, uint64_t count) {
  *outcome = {};
  const ChildResult child =
      RunForked([first, count] { RunWithFaults(first, count); });
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.signal, 0);
  EXPECT_EQ(child.err, "");
  return *outcome;
}

struct Summary {
  std::set<std::string> kinds;  // of the last failing call of each run
  uint64_t refusals = 0;
};

// One run for every `step`-th call of the workload, in which `count` calls in a
// row fail, beginning with that one.
void FailInTurn(uint64_t count, uint64_t step, Summary* summary) {
  const Outcome without = RunInChild(0, 0);
  ASSERT_GT(without.calls, 50u);
  ASSERT_EQ(without.refusals, 0u);
  ASSERT_EQ(without.failed, 0u);
  for (uint64_t n = 1; n <= without.calls; n += step) {
    SCOPED_TRACE("the call that fails first is number " + std::to_string(n));
    const Outcome with = RunInChild(n, count);
    EXPECT_GT(with.failed, 0u);
    // Memory left mapped by a refused munmap is unmapped by then; metadata may
    // have needed a little more.
    EXPECT_LE(with.address_space, without.address_space + 4 * kMiB);
    summary->kinds.insert(with.failed_call);
    summary->refusals += with.refusals;
    if (testing::Test::HasFailure()) break;  // the others would fail alike
  }
}

TEST(FaultInjectionTest, OneRefusedCallIsMadeUpFor) {
  Summary summary;
  FailInTurn(1, 1, &summary);
  for (const char* kind : {"madvise", "mmap", "mprotect", "mremap", "munmap"}) {
    EXPECT_EQ(summary.kinds.count(kind), 1u) << kind;
  }
  EXPECT_EQ(summary.refusals, 0u);
}

TEST(FaultInjectionTest, ManyRefusedCallsHurtOnlyTheRequestsThatNeedThem) {
  Summary summary;
  FailInTurn(30, 4, &summary);
  EXPECT_GT(summary.refusals, 0u);
}

TEST(FaultInjectionTest, ASystemThatRefusesFromThenOnIsOutlived) {
  Summary summary;
  FailInTurn(UINT64_MAX, 9, &summary);
  EXPECT_GT(summary.refusals, 0u);
}

// More threads than the metadata at hand has caches for; each frees one block
// while the system refuses all memory.
TEST(FaultInjectionTest, ThreadsThatGetNoCacheFreeAllTheSame) {
  const ChildResult child = RunForked([] {
    static constexpr size_t kThreads = 100;
    static pthread_barrier_t barrier;
    static void* blocks[kThreads];
    WarmUpThreads(kThreads);
    pthread_barrier_init(&barrier, nullptr, kThreads + 1);
    const uint64_t live = CollectedStats().live_bytes;
    const uint64_t threads = Stats().threads;
    for (void*& block : blocks) block = Opaque(malloc(100));
    pthread_t ids[kThreads];
    for (size_t i = 0; i < kThreads; ++i) {
      ASSERT_EQ(pthread_create(
                    &ids[i], nullptr,
                    [](void* block) -> void* {
                      pthread_barrier_wait(&barrier);
                      free(block);
                      pthread_barrier_wait(&barrier);
                      pthread_barrier_wait(&barrier);
                      return nullptr;
                    },
                    blocks[i]),
                0);
    }
    Faults().fail(1, UINT64_MAX);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    EXPECT_LT(Stats().threads, threads + kThreads);
    Faults().fail(0, 0);
    pthread_barrier_wait(&barrier);
    for (const pthread_t id : ids) pthread_join(id, nullptr);
    EXPECT_EQ(CollectedStats().live_bytes, live);
  });
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.signal, 0);
  EXPECT_EQ(child.err, "");
}

// --- How often the system is asked -------------------------------------------

// How many calls are refused for one request of 16 MiB, while no mapping is
// that long. Three blocks are kept that it could be put together from; others
// lie between, so that they are not one run of memory.
uint64_t CallsRefusedFor(void* (*allocate)(size_t size)) {
  Hakmem().collect();
  void* blocks[5];
  for (void*& block : blocks) {
    block = Opaque(malloc(6 * kMiB));
    memset(block, 1, 6 * kMiB);
  }
  for (const size_t i : {0, 2, 4}) free(blocks[i]);
  Faults().refuse_maps_above(15 * kMiB);
  const uint64_t failed = Faults().failed();
  EXPECT_EQ(Opaque(allocate(16 * kMiB)), nullptr);
  EXPECT_STREQ(Faults().failed_call(), "mmap");
  const uint64_t refused = Faults().failed() - failed;
  Faults().refuse_maps_above(0);
  void* block = Opaque(allocate(16 * kMiB));
  EXPECT_NE(block, nullptr);
  free(block);
  for (const size_t i : {1, 3}) free(blocks[i]);
  return refused;
}

// realloc of a large block of 4 MiB, which is unchanged afterwards if refused.
void* GrowLargeBlock(size_t size) {
  void* block = Opaque(malloc(4 * kMiB));
  memset(block, 1, 4 * kMiB);
  void* grown = Opaque(realloc(block, size));
  if (grown != nullptr) return grown;
  EXPECT_EQ(static_cast<char*>(block)[4 * kMiB - 1], 1);
  free(block);
  return nullptr;
}

TEST(FaultInjectionTest,
     ARefusedLargeRequestIsAskedForOnceMoreAfterGivingBack) {
  const ChildResult child = RunForked([] {
    EXPECT_EQ(CallsRefusedFor(GrowLargeBlock), 2u);
    EXPECT_EQ(CallsRefusedFor([](size_t size) { return malloc(size); }), 2u);
    EXPECT_EQ(CallsRefusedFor([](size_t size) { return calloc(1, size); }), 2u);
    EXPECT_EQ(CallsRefusedFor([](size_t size) { return memalign(4096, size); }),
              2u);
  });
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.signal, 0);
  EXPECT_EQ(child.err, "");
}

// --- Huge pages --------------------------------------------------------------

// Makes the advice to use huge pages fail once. Returns 0 if that left a record
// and no request failed.
int HugePagesRefused() {
  std::string kind;
  // Mapping a large block takes a few calls; the last of them is the advice.
  for (uint64_t n = 1; n <= 6 && kind != "madvise"; ++n) {
    Faults().fail(n, 1);
    void* block = malloc(8 * kMiB);
    const char* failed = Faults().failed_call();
    kind = failed == nullptr ? "" : failed;
    Faults().fail(0, 0);
    if (block == nullptr) return 1;
    free(block);
    Hakmem().collect();
  }
  if (kind != "madvise") return 2;
  // Housekeeping records it.
  for (int i = 0; i < 100; ++i) {
    free(malloc(100 * kKiB));
    usleep(10'000);
    hakmem_failure_t last = {};
    if (Hakmem().last_failure(&last, sizeof(last)) == 0) continue;
    return last.cause == HAKMEM_CAUSE_MAPFAIL &&
                   last.os_request == HAKMEM_OS_REQUEST_HUGE_PAGES &&
                   last.entry == HAKMEM_ENTRY_NONE && last.error == ENOMEM
               ? 0
               : 3;
  }
  return 4;
}
const ChildProgram huge_pages_refused("huge_pages_refused", HugePagesRefused);

TEST(FaultInjectionTest, RefusedHugePagesAreToldOfAndHurtNobody) {
  const ChildResult child =
      RunChildProgram("huge_pages_refused",
                      {{"HAKMEM_HUGE_PAGES", "2"}, {"HAKMEM_DECAY", "100"}});
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

// --- Before main -------------------------------------------------------------

// Runs plain_c_program_test_helper.c, whose first calls to the OS are caused by
// requests of the dynamic loader and the C library. Returns its exit status, -1
// if a signal ended it.
int RunPlainC(uint64_t first, uint64_t count) {
  const std::string command =
      "HAKMEM_TEST_FAIL_OS_CALL=" + std::to_string(first) + "," +
      std::to_string(count) + " " + getenv("HAKMEM_TEST_PLAIN_C");
  const int status = system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(FaultsBeforeMainTest, OneRefusedCallIsMadeUpFor) {
  for (uint64_t n = 1; n <= 12; ++n) EXPECT_EQ(RunPlainC(n, 1), 0) << n;
}

TEST(FaultsBeforeMainTest, AProgramWithoutMemoryReachesMain) {
  // Its status means that an allocation failed.
  for (uint64_t n = 1; n <= 4; ++n) EXPECT_EQ(RunPlainC(n, UINT64_MAX), 4) << n;
}

}  // namespace
}  // namespace hakmem_test
