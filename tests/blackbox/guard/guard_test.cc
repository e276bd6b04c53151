// With sampling on, the program works as usual, and the right share of its
// blocks is guarded; without, none is.
#include <dlfcn.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      _exit(9);                                                       \
    }                                                                 \
  } while (false)

ChildResult RunSampled(const std::string& program, int interval,
                       int slots = 256) {
  return RunChildProgram(program,
                         {{"HAKMEM_GUARD_SAMPLE", std::to_string(interval)},
                          {"HAKMEM_GUARD_SLOTS", std::to_string(slots)}});
}

void ExpectPasses(const ChildResult& child) {
  EXPECT_EQ(child.exit_code, 0) << "signal " << child.signal;
  EXPECT_EQ(child.err, "");
}

// --- Whether and how often -----------------------------------------------

TEST(GuardTest, NothingIsGuardedUnlessAskedFor) {
  for (int i = 0; i < 1000; ++i) free(Opaque(malloc(64)));
  EXPECT_EQ(Stats().guarded_sampled, 0u);
  EXPECT_EQ(Stats().guarded_live, 0u);
}

// The share of calls that are guarded, in several threads.
int CountSamples() {
  constexpr uint64_t kCalls = 100000;
  const uint64_t before = Stats().guarded_sampled;
  const auto call = [] {
    for (uint64_t i = 0; i < kCalls; ++i) free(Opaque(malloc(i % 2000)));
  };
  std::thread other(call);
  call();
  other.join();
  const uint64_t sampled = Stats().guarded_sampled - before;
  // The expected value is 2000, the standard deviation 45.
  if (sampled > 1750 && sampled < 2250) return 0;
  fprintf(stderr, "%zu\n", static_cast<size_t>(sampled));
  return 1;
}
const ChildProgram count_samples("count_samples", CountSamples);

TEST(GuardTest, OneOfNIsGuarded) {
  ExpectPasses(RunSampled("count_samples", 100));
}

// Children of fork do not all guard the same calls.
int ForkSamples() {
  std::string patterns[4];
  for (std::string& pattern : patterns) {
    const ChildResult child = RunForked([] {
      for (int i = 0; i < 64; ++i) {
        const uint64_t before = Stats().guarded_sampled;
        free(Opaque(malloc(10)));
        fputc(Stats().guarded_sampled == before ? '-' : 'g', stderr);
      }
    });
    pattern = child.err;
  }
  CHECK(patterns[0].find('g') != std::string::npos);
  CHECK(patterns[0].find('-') != std::string::npos);
  CHECK(patterns[0] != patterns[1] || patterns[1] != patterns[2] ||
        patterns[2] != patterns[3]);
  return 0;
}
const ChildProgram fork_samples("fork_samples", ForkSamples);

TEST(GuardTest, ForkedChildrenSampleOtherCalls) {
  ExpectPasses(RunSampled("fork_samples", 2));
}

// --- Every function ------------------------------------------------------

// Checks that `block` is guarded and has its own size as usable size; fills and
// returns it.
void* Guarded(void* block, size_t size, size_t alignment = 16) {
  CHECK(block != nullptr);
  CHECK(malloc_usable_size(block) == size);
  CHECK(Hakmem().malloc_usable_size(block) == size);
  CHECK(IsAligned(block, alignment));
  Fill(block, size, size);
  return Opaque(block);
}

int UseEveryFunction() {
  const hakmem_stats_t before = Stats();
  uint64_t made = 0;
  for (const size_t size : {1u, 7u, 16u, 17u, 100u, 4096u, 5000u, 16381u}) {
    void* zeroed = Opaque(calloc(1, size));
    CHECK(IsZero(zeroed, size));
    free(Guarded(zeroed, size));
    free(Guarded(malloc(size), size));
    Hakmem().free_sized(Guarded(Hakmem().malloc(size), size), size);
    for (const size_t alignment : {16u, 64u, 1024u, 4096u}) {
      free(Guarded(memalign(alignment, size), size, alignment));
      void* block = nullptr;
      CHECK(posix_memalign(&block, alignment, size) == 0);
      free(Guarded(block, size, alignment));
      Hakmem().free_aligned_sized(
          Guarded(aligned_alloc(alignment, size), size, alignment), alignment,
          size);
      const std::align_val_t value{alignment};
      ::operator delete(Guarded(::operator new(size, value), size, alignment),
                        value);
      made += 4;
    }
    free(Guarded(valloc(size), size, 4096));
    ::operator delete(Guarded(::operator new(size), size));
    ::operator delete[](Guarded(::operator new[](size), size), size);
    void* grown = Guarded(realloc(nullptr, size), size);
    CHECK(realloc(grown, size) == grown);  // as for all blocks
    grown = realloc(grown, size + 1);
    CHECK(Holds(grown, size, size));
    free(Guarded(reallocarray(grown, 1, size + 2), size + 2));
    made += 9;
  }
  free(malloc(0));
  free(Guarded(pvalloc(1), 4096, 4096));
  made += 2;
  const hakmem_stats_t after = Stats();
  CHECK(after.guarded_sampled == before.guarded_sampled + made);
  CHECK(after.guarded_live == before.guarded_live);
  CHECK(after.guarded_live_bytes == before.guarded_live_bytes);
  CHECK(after.live_bytes == before.live_bytes);
  CHECK(after.committed_bytes == before.committed_bytes);
  return 0;
}
const ChildProgram use_every_function("use_every_function", UseEveryFunction);

TEST(GuardTest, EveryFunctionKnowsGuardedBlocks) {
  ExpectPasses(RunSampled("use_every_function", 1, 4096));
}

// Into guarded blocks and out of them, to sizes that are never guarded.
int ReallocAnywhere() {
  std::mt19937_64 random(1);
  for (int round = 0; round < 20; ++round) {
    size_t size = 1 + random() % 100;
    char* block = static_cast<char*>(malloc(size));
    Fill(block, size, 5);
    for (int i = 0; i < 40; ++i) {
      const size_t next = 1 + AnySize(random);
      block = static_cast<char*>(realloc(block, next));
      CHECK(block != nullptr);
      CHECK(Holds(block, std::min(size, next), 5));
      size = next;
      Fill(block, size, 5);
    }
    free(block);
  }
  CHECK(Stats().guarded_sampled > 100);
  return 0;
}
const ChildProgram realloc_anywhere("realloc_anywhere", ReallocAnywhere);

TEST(GuardTest, ReallocKeepsContentsEitherWay) {
  ExpectPasses(RunSampled("realloc_anywhere", 1));
  ExpectPasses(RunSampled("realloc_anywhere", 2));
}

TEST(GuardTest, AFullPoolIsNoFailure) {
  ExpectPasses(RunSampled("use_full_pool", 1, 1));
  ExpectPasses(RunSampled("use_full_pool", 1, 16));
}

int UseFullPool() {
  std::vector<void*> blocks(5000);
  for (size_t i = 0; i < blocks.size(); ++i) {
    CHECK(blocks[i] = malloc(i % 3000));
    Fill(blocks[i], i % 3000, i);
  }
  CHECK(Stats().guarded_live <= 16);
  for (size_t i = 0; i < blocks.size(); ++i) {
    CHECK(Holds(blocks[i], i % 3000, i));
    free(blocks[i]);
  }
  return 0;
}
const ChildProgram use_full_pool("use_full_pool", UseFullPool);

// --- Threads and fork ----------------------------------------------------

// Blocks passed between threads.
class Exchange {
 public:
  struct Item {
    void* block = nullptr;
    size_t size = 0;
    uint64_t seed = 0;
  };

  // Puts `item` in and returns its predecessor.
  Item Swap(size_t place, const Item& item) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(items_[place % std::size(items_)], item);
  }
  void Clear() {
    for (size_t i = 0; i < std::size(items_); ++i) {
      const Item item = Swap(i, {});
      CHECK(Holds(item.block, item.size, item.seed));
      free(item.block);
    }
  }

 private:
  std::mutex mutex_;
  Item items_[200];
};

void Mix(Exchange& exchange, uint64_t seed, int calls) {
  std::mt19937_64 random(seed);
  for (int i = 0; i < calls; ++i) {
    Exchange::Item item;
    item.size = AnySize(random) / 2;
    item.seed = random();
    switch (random() % 4) {
      case 0:
        item.block = Opaque(calloc(1, item.size));
        CHECK(IsZero(item.block, item.size));
        break;
      case 1:
        item.block = aligned_alloc(64, item.size);
        break;
      case 2: {
        const size_t first = item.size / 2 + 1;
        item.block = malloc(first);
        Fill(item.block, first, 3);
        item.block = realloc(item.block, item.size + 1);
        CHECK(Holds(item.block, std::min(first, item.size), 3));
        break;
      }
      default:
        item.block = malloc(item.size);
        break;
    }
    CHECK(item.block != nullptr);
    Fill(item.block, item.size, item.seed);
    const Exchange::Item other = exchange.Swap(random(), item);
    CHECK(Holds(other.block, other.size, other.seed));
    free(other.block);
  }
}

int MixThreadsAndFork() {
  Exchange exchange;
  std::atomic<uint64_t> seed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 4; ++round) Mix(exchange, ++seed, 500);
    });
  }
  for (int i = 0; i < 6; ++i) {
    const ChildResult child = RunForked([&] {
      Exchange own;
      Mix(own, 1, 300);
      std::thread([&] { Mix(own, 2, 300); }).join();
      own.Clear();
    });
    CHECK(child.exit_code == 0 && child.err.empty());
  }
  for (std::thread& thread : threads) thread.join();
  exchange.Clear();
  CHECK(Stats().guarded_sampled > 100);
  return 0;
}
const ChildProgram mix_threads_and_fork("mix_threads_and_fork",
                                        MixThreadsAndFork);

TEST(GuardTest, ThreadsAndForkedChildrenKeepTheirContents) {
  ExpectPasses(RunSampled("mix_threads_and_fork", 1));
  ExpectPasses(RunSampled("mix_threads_and_fork", 10));
}

// --- Refusals ------------------------------------------------------------

int DoLittle() {
  void* block = malloc(100);
  CHECK(Stats().guarded_sampled == 0);
  free(block);
  return 0;
}
const ChildProgram do_little("do_little", DoLittle);

TEST(GuardTest, WithoutAddressSpaceNothingIsGuarded) {
  const ChildResult child = RunForked([] {
    setenv("HAKMEM_GUARD_SAMPLE", "1", 1);
    setenv("HAKMEM_GUARD_SLOTS", "8192", 1);
    const rlimit limit = {100 * kMiB, 100 * kMiB};
    setrlimit(RLIMIT_AS, &limit);
    const char* const argv[] = {"child", "--child_program=do_little", nullptr};
    hakmem_test::ExecThisProgram(argv);
  });
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.err,
            "hakmem: HAKMEM_GUARD_SAMPLE is ignored: out of memory\n");
}

// Calls to open and close slots are refused.
int UseWhileCallsFail() {
  using FailCalls = void (*)(uint64_t, uint64_t);
  const auto fail = reinterpret_cast<FailCalls>(
      dlsym(RTLD_DEFAULT, "hakmem_test_fail_os_calls"));
  CHECK(fail != nullptr);
  // More than there are slots, so that bins hold some and need no system call.
  std::vector<void*> blocks(400);
  for (void*& block : blocks) block = malloc(100);
  for (void* block : blocks) free(block);
  void* block = malloc(100);
  CHECK(malloc_usable_size(block) == 100);
  Fill(block, 100, 1);
  const uint64_t before = Stats().guarded_sampled;
  for (int i = 0; i < 1000; ++i) {
    fail(1, 1000);
    void* other = malloc(100);
    fail(0, 0);
    CHECK(other != nullptr);
    free(other);
  }
  CHECK(Stats().guarded_sampled == before);
  CHECK(Holds(block, 100, 1));
  fail(1, 1000);
  free(block);
  fail(0, 0);
  // Blocks that could not be made inaccessible are zero where required.
  for (int i = 0; i < 1000; ++i) {
    void* zeroed = Opaque(calloc(1, 8000));
    CHECK(malloc_usable_size(zeroed) == 8000);
    CHECK(IsZero(zeroed, 8000));
    free(zeroed);
  }
  return 0;
}
const ChildProgram use_while_calls_fail("use_while_calls_fail",
                                        UseWhileCallsFail);

TEST(GuardTest, WhatTheSystemRefusesIsServedUnguarded) {
  if (dlsym(RTLD_DEFAULT, "hakmem_test_fail_os_calls") == nullptr) {
    GTEST_SKIP() << "calls to the system cannot be made to fail";
  }
  ExpectPasses(RunSampled("use_while_calls_fail", 1));
}

// --- Real programs -------------------------------------------------------

// Runs `program`, if installed, on a script that ends it with 0.
void RunScript(const char* program, const char* option, const char* script) {
  if (access(program, X_OK) != 0) return;
  for (const char* interval : {"50", "5"}) {
    ExpectPasses(RunForked([=] {
      setenv("HAKMEM_GUARD_SAMPLE", interval, 1);
      execl(program, program, option, script, nullptr);
    }));
  }
}

TEST(GuardTest, RealProgramsRun) {
  RunScript("/usr/bin/perl", "-e",
            "my %h; for (1..20000) { $h{$_} = 'x' x ($_ % 100); }"
            "my $s = join ',', sort { $a <=> $b } keys %h;"
            "exit(length($s) == 108893 ? 0 : 1);");
  RunScript("/usr/bin/python3", "-c",
            "import json, threading\n"
            "d = [{'a': i, 'b': [str(x) for x in range(9)]}"
            " for i in range(500)]\n"
            "bad = []\n"
            "def work():\n"
            "  for _ in range(5):\n"
            "    if json.loads(json.dumps(d)) != d: bad.append(1)\n"
            "t = [threading.Thread(target=work) for _ in range(3)]\n"
            "for x in t: x.start()\n"
            "for x in t: x.join()\n"
            "exit(len(bad))\n");
}

}  // namespace
}  // namespace hakmem_test
