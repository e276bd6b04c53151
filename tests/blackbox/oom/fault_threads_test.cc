// Calls to the operating system are refused while two threads allocate, and
// around fork. Which request is affected depends on scheduling; in any case no
// block is lost or changed, a failing request reports it, and all is well once
// the system grants memory again. (fault_injection_test refuses each call of
// one fixed sequence.)
#include <malloc.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/fault_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kThreads = 2;
constexpr int kSteps = 800;

// Which calls are refused, counted from the moment this is switched on.
struct Refused {
  uint64_t first;
  uint64_t count;
  uint64_t step;

  void SwitchOn() const { Faults().fail_some(first, count, step); }
  static void SwitchOff() { Faults().fail(0, 0); }

  std::string Describe() const {
    return "refused: " + std::to_string(count) + " from the " +
           std::to_string(first) + ". on, every " + std::to_string(step) + ".";
  }
};

constexpr Refused Once(uint64_t call) { return {call, 1, 1}; }
constexpr Refused FromThenOn(uint64_t call) { return {call, UINT64_MAX, 1}; }
constexpr Refused EveryNth(uint64_t n) { return {n, UINT64_MAX, n}; }

// Blocks that threads leave for one another. Has a lock of the test's own.
class Exchange {
 public:
  Block Swap(Block block, size_t place) {
    pthread_mutex_lock(&mutex_);
    std::swap(places_[place % kPlaces], block);
    pthread_mutex_unlock(&mutex_);
    return block;
  }

 private:
  static constexpr size_t kPlaces = 32;

  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  Block places_[kPlaces] = {};
};

// Makes requests of every kind, in all sizes that are handled differently.
class Worker {
 public:
  Worker(uint64_t seed, Exchange* exchange)
      : seed_(seed), random_(seed), exchange_(exchange) {}

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) Step();
  }

  void FreeAll() {
    for (Block& block : blocks_) Release(block);
  }

  // Frees every `step`-th.
  void FreeSome(size_t step) {
    for (size_t i = 0; i < kBlocks; i += step) Release(blocks_[i]);
  }

  void CheckAll() {
    for (const Block& block : blocks_) Check(block);
  }

  // The first error: a block changed or overlapping another, bad alignment,
  // calloc without zeros, a failure without ENOMEM. 0, or the source line below
  // that found it.
  int wrong() const { return wrong_; }
  uint64_t refusals() const { return refusals_; }

 private:
  static constexpr size_t kBlocks = 200;

  size_t AnySizeHere() {
    const uint64_t dice = random_() % 100;
    if (dice < 70) return random_() % 2048 + 1;
    if (dice < 85) return random_() % (32 * kKiB) + 1;
    if (dice < 96) return random_() % kMiB + 1;
    return random_() % (6 * kMiB) + 1;
  }

  void Step() {
    Block& block = blocks_[random_() % kBlocks];
    const size_t size = AnySizeHere();
    errno = 0;
    switch (random_() % 8) {
      case 0:
        return Ladder(block, size);
      case 1:
        Check(block);
        block = exchange_->Swap(block, random_());
        return Check(block);
      case 2: {
        Release(block);
        auto* zeros = static_cast<char*>(Opaque(calloc(1, size)));
        Expect(zeros == nullptr || IsZero(zeros, size));
        return Keep(block, zeros, size);
      }
      case 3: {
        Release(block);
        const size_t alignment = size_t{32} << random_() % 17;
        void* aligned = Opaque(memalign(alignment, size));
        Expect(IsAligned(aligned, alignment));
        return Keep(block, aligned, size);
      }
      default:
        Release(block);
        return Keep(block, Opaque(malloc(size)), size);
    }
  }

  // Resizes to `size` in a few steps, each of which may be refused.
  void Ladder(Block& block, size_t size) {
    for (int i = 0; i < 3; ++i) {
      errno = 0;
      void* moved = Opaque(realloc(block.address, size));
      if (moved == nullptr) {
        NoteRefusal();
        return Check(block);
      }
      const size_t kept =
          block.address == nullptr ? 0 : std::min(block.size, size);
      block.address = static_cast<char*>(moved);
      Expect(block.IsWhole(kept));
      block.size = size;
      block.Write();
      size = i == 0 ? size * 2 + 7 : size / 3 + 1;
    }
  }

  void Keep(Block& block, void* address, size_t size) {
    if (address == nullptr) return NoteRefusal();
    block = {static_cast<char*>(address), size, ++seed_ << 32};
    block.Write();
  }

  void NoteRefusal(int line = __builtin_LINE()) {
    Expect(errno == ENOMEM, line);
    ++refusals_;
  }

  void Release(Block& block) {
    Check(block);
    free(block.address);
    block = {};
  }

  void Check(const Block& block, int line = __builtin_LINE()) {
    Expect(block.address == nullptr || block.IsWhole(block.size), line);
  }

  void Expect(bool condition, int line = __builtin_LINE()) {
    if (!condition && wrong_ == 0) wrong_ = line;
  }

  uint64_t seed_;
  std::mt19937_64 random_;
  Exchange* const exchange_;
  Block blocks_[kBlocks] = {};
  int wrong_ = 0;
  uint64_t refusals_ = 0;
};

void FreeExchanged(Exchange& exchange) {
  for (size_t place = 0; place < 32; ++place) {
    free(exchange.Swap({}, place).address);
  }
}

uint64_t NewestFailure() {
  hakmem_failure_t failure = {};
  return Hakmem().last_failure(&failure, sizeof(failure)) == 1
             ? failure.sequence
             : 0;
}

// --- Two threads -------------------------------------------------------------

struct ThreadRun {
  Worker* worker;
  pthread_barrier_t* barrier;
};

// Works while calls are refused, and again when they are not.
void* WorkTwice(void* argument) {
  auto* run = static_cast<ThreadRun*>(argument);
  pthread_barrier_wait(run->barrier);
  run->worker->Run(kSteps);
  pthread_barrier_wait(run->barrier);
  pthread_barrier_wait(run->barrier);  // refusals have ended
  run->worker->Run(kSteps);
  run->worker->FreeAll();
  return nullptr;
}

// The calls that the threads made, and how many of them were refused.
struct Made {
  uint64_t calls;
  uint64_t refused;
};

Made RunTwoThreads(const Refused& refused) {
  WarmUpThreads(kThreads);
  const uint64_t live = CollectedStats().live_bytes;
  const size_t address_space = AddressSpaceBytes();
  const uint64_t failures = NewestFailure();

  static Exchange exchange;
  static Worker workers[kThreads] = {{1, &exchange}, {2, &exchange}};
  static pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, kThreads + 1);
  ThreadRun runs[kThreads];
  pthread_t threads[kThreads];
  for (size_t i = 0; i < kThreads; ++i) {
    runs[i] = {&workers[i], &barrier};
    if (pthread_create(&threads[i], nullptr, WorkTwice, &runs[i]) != 0) abort();
  }
  const uint64_t calls = Faults().calls();
  const uint64_t failed = Faults().failed();
  refused.SwitchOn();
  pthread_barrier_wait(&barrier);  // the threads start
  pthread_barrier_wait(&barrier);  // the threads are done
  Refused::SwitchOff();
  const Made made = {Faults().calls() - calls, Faults().failed() - failed};
  uint64_t refusals = 0;
  for (const Worker& worker : workers) refusals += worker.refusals();
  // Each refusal has left a record.
  EXPECT_GE(NewestFailure() - failures, refusals);
  if (made.refused == 0) {
    EXPECT_EQ(refusals, 0u);
  }

  pthread_barrier_wait(&barrier);
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
  uint64_t all_refusals = 0;
  for (const Worker& worker : workers) {
    EXPECT_EQ(worker.wrong(), 0);
    all_refusals += worker.refusals();
  }
  EXPECT_EQ(all_refusals, refusals) << "refused without a reason";
  FreeExchanged(exchange);
  EXPECT_EQ(CollectedStats().live_bytes, live);
  EXPECT_EQ(HeapProblems(), 0);
  // Reserved regions stay mapped; what was mapped for blocks does not.
  EXPECT_LT(AddressSpaceBytes(), address_space + 1024 * kMiB);
  EXPECT_LT(ResidentBytes(), 40 * kMiB);
  return made;
}

void ExpectGoodEnd(const ChildResult& child) {
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.signal, 0);
  EXPECT_EQ(child.err, "");
}

Made RunInChild(const Refused& refused) {
  int ends[2];
  if (pipe(ends) != 0) abort();
  ExpectGoodEnd(RunForked([&] {
    const Made made = RunTwoThreads(refused);
    if (write(ends[1], &made, sizeof(made)) != sizeof(made)) abort();
  }));
  Made made = {};
  close(ends[1]);
  EXPECT_EQ(read(ends[0], &made, sizeof(made)),
            static_cast<ssize_t>(sizeof(made)));
  close(ends[0]);
  return made;
}

void RunEach(const std::vector<Refused>& all) {
  uint64_t refused_calls = 0;
  for (const Refused& refused : all) {
    SCOPED_TRACE(refused.Describe());
    refused_calls += RunInChild(refused).refused;
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GE(refused_calls, all.size() / 2);
}

uint64_t CallsWithoutFaults() {
  static const uint64_t calls = RunInChild({0, 0, 1}).calls;
  return calls;
}

std::vector<Refused> Spread(Refused (*make)(uint64_t), uint64_t count) {
  std::vector<Refused> all;
  const uint64_t step = std::max<uint64_t>(CallsWithoutFaults() / count, 1);
  for (uint64_t n = 1; n <= CallsWithoutFaults(); n += step) {
    all.push_back(make(n));
  }
  return all;
}

TEST(FaultThreadsTest, OneRefusedCall) { RunEach(Spread(&Once, 16)); }

TEST(FaultThreadsTest, ASystemThatRefusesFromThenOn) {
  RunEach(Spread(&FromThenOn, 8));
}

TEST(FaultThreadsTest, EveryNthCallIsRefused) {
  std::vector<Refused> all;
  for (const uint64_t n : {2, 3, 4, 5, 7, 11, 17}) all.push_back(EveryNth(n));
  RunEach(all);
}

// --- Fork --------------------------------------------------------------------

constexpr Refused kNone = {0, 0, 1};

// The work of a fork's child: continues with what it inherited, under `refused`
// or, if null, under its parent's refusals; then without refusals.
bool ChildIsWell(Worker& inherited, Exchange& exchange,
                 const Refused* refused) {
  if (refused != nullptr) refused->SwitchOn();
  inherited.CheckAll();
  inherited.FreeSome(2);
  inherited.Run(kSteps / 4);
  Refused::SwitchOff();
  Hakmem().collect();
  const uint64_t refusals = inherited.refusals();
  inherited.Run(kSteps / 4);
  inherited.FreeAll();
  FreeExchanged(exchange);
  return inherited.wrong() == 0 && inherited.refusals() == refusals;
}

// Forks a few times while another thread allocates. The parent's calls are
// refused by `parents` from before the fork until the child has ended.
void RunForks(const Refused& parents, const Refused* childs) {
  static std::atomic<bool> stop{false};
  static Exchange exchange;
  static Exchange others_exchange;
  static Worker worker{1, &exchange};
  static Worker other{2, &others_exchange};
  WarmUpThreads(1);
  const uint64_t live = CollectedStats().live_bytes;
  pthread_t thread;
  const auto run = [](void*) -> void* {
    while (!stop) other.Run(20);
    other.FreeAll();
    FreeExchanged(others_exchange);
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, nullptr, run, nullptr), 0);
  worker.Run(kSteps);
  for (int round = 0; round < 2; ++round) {
    parents.SwitchOn();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(60);
      _exit(ChildIsWell(worker, exchange, childs) ? 0 : 1);
    }
    worker.Run(kSteps / 4);
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "the child";
    Refused::SwitchOff();
    const uint64_t refusals = worker.refusals();
    worker.Run(kSteps / 4);
    EXPECT_EQ(worker.refusals(), refusals);
  }
  stop = true;
  pthread_join(thread, nullptr);
  worker.FreeAll();
  FreeExchanged(exchange);
  EXPECT_EQ(worker.wrong(), 0);
  EXPECT_EQ(other.wrong(), 0);
  EXPECT_EQ(CollectedStats().live_bytes, live);
}

void RunForksInChild(const Refused& parents, const Refused* childs) {
  SCOPED_TRACE("parent: " + parents.Describe());
  ExpectGoodEnd(RunForked([&] { RunForks(parents, childs); }));
}

const Refused kSomeOfEachKind[] = {
    Once(1), Once(9), FromThenOn(1), FromThenOn(5), EveryNth(2), EveryNth(7),
};

TEST(FaultForkTest, TheChildInheritsTheRefusals) {
  for (const Refused& refused : kSomeOfEachKind) {
    RunForksInChild(refused, nullptr);
  }
}

TEST(FaultForkTest, OnlyTheChildIsRefused) {
  for (const Refused& refused : kSomeOfEachKind) {
    SCOPED_TRACE("child: " + refused.Describe());
    RunForksInChild(kNone, &refused);
  }
}

TEST(FaultForkTest, OnlyTheParentIsRefusedWhileTheChildRuns) {
  for (const Refused& refused : kSomeOfEachKind) {
    RunForksInChild(refused, &kNone);
  }
}

// --- From the start ----------------------------------------------------------

// The process can do without any of its first calls, which include those for
// the thread-exit key and the fork handlers.
int StartThreads() {
  static Exchange exchange;
  static Worker workers[kThreads] = {{1, &exchange}, {2, &exchange}};
  for (int round = 0; round < 3; ++round) {
    pthread_t threads[kThreads];
    for (size_t i = 0; i < kThreads; ++i) {
      const auto run = [](void* worker) -> void* {
        static_cast<Worker*>(worker)->Run(300);
        return nullptr;
      };
      if (pthread_create(&threads[i], nullptr, run, &workers[i]) != 0) return 2;
    }
    for (const pthread_t thread : threads) pthread_join(thread, nullptr);
  }
  for (Worker& worker : workers) {
    worker.FreeAll();
    if (worker.wrong() != 0) return 3;
    if (worker.refusals() != 0) return 4;
  }
  FreeExchanged(exchange);
  return 0;
}
const ChildProgram start_threads("start_threads", StartThreads);

TEST(FaultFromStartTest, ThreadsRunWhicheverOfTheFirstCallsWasRefused) {
  for (int n = 1; n <= 16; ++n) {
    const ChildResult child = RunChildProgram(
        "start_threads", {{"HAKMEM_TEST_FAIL_OS_CALL", std::to_string(n)}});
    EXPECT_EQ(child.exit_code, 0) << n << ": " << child.err;
  }
}

}  // namespace
}  // namespace hakmem_test
