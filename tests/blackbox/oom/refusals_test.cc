// How many system calls a refused request costs, and that no request is refused
// that could be served after a purge.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <new>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

// Every function that may refuse; each requests a block of `size`.
struct Entry {
  const char* name;
  bool (*refuses)(size_t size, void* block);
};

const Entry kEntries[] = {
    {"malloc", [](size_t s, void*) { return malloc(s) == nullptr; }},
    {"calloc", [](size_t s, void*) { return calloc(1, s) == nullptr; }},
    {"calloc of many", [](size_t s, void*) { return calloc(s, 1) == nullptr; }},
    {"realloc", [](size_t s, void* b) { return realloc(b, s) == nullptr; }},
    {"reallocarray",
     [](size_t s, void* b) { return reallocarray(b, s, 1) == nullptr; }},
    {"memalign", [](size_t s, void*) { return memalign(64, s) == nullptr; }},
    {"aligned_alloc",
     [](size_t s, void*) { return aligned_alloc(4096, s) == nullptr; }},
    {"posix_memalign",
     [](size_t s, void*) {
       void* block = nullptr;
       return posix_memalign(&block, 64, s) == ENOMEM;
     }},
    {"valloc", [](size_t s, void*) { return valloc(s) == nullptr; }},
    {"pvalloc", [](size_t s, void*) { return pvalloc(s) == nullptr; }},
    {"operator new",
     [](size_t s, void*) {
       return ::operator new(s, std::nothrow) == nullptr;
     }},
    {"aligned operator new",
     [](size_t s, void*) {
       return ::operator new(s, std::align_val_t(64), std::nothrow) == nullptr;
     }},
};

constexpr size_t kImpossible[] = {SIZE_MAX, SIZE_MAX - 4096,
                                  size_t{PTRDIFF_MAX} + 1};
constexpr size_t kBeyondAnyProcess[] = {PTRDIFF_MAX, size_t{1} << 62,
                                        size_t{1} << 50};

// How much the address space of a process here may grow.
constexpr size_t kRoom = 256 * kMiB;
constexpr size_t kBeyondTheLimit[] = {300 * kMiB, size_t{4} << 30,
                                      size_t{1} << 40};

// From now on any system call not in `allowed` kills the process by SIGSYS.
// False where no filter can be set.
bool AllowOnly(const std::vector<int>& allowed) {
  std::vector<sock_filter> program = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const int call : allowed) {
    program.push_back(
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  const sock_fprog filter = {static_cast<uint16_t>(program.size()),
                             program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// The exit codes of the children below.
constexpr int kServed = 40;
constexpr int kNoFilter = 77;

// Makes each entry refuse each of `sizes` several times.
template <size_t n>
void RefuseAll(const size_t (&sizes)[n], void* block) {
  for (int round = 0; round < 3; ++round) {
    for (const size_t size : sizes) {
      for (const Entry& entry : kEntries) {
        if (!entry.refuses(Opaque(size), block)) _exit(kServed);
      }
    }
  }
}

void ExpectNoOtherCall(const std::function<void()>& body) {
  const ChildResult child = RunForked(body);
  if (child.exit_code == kNoFilter) GTEST_SKIP() << "no seccomp here";
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.signal, 0);
  EXPECT_EQ(child.err, "");
}

TEST(RefusalsTest, WhatIsImpossibleTakesNoSystemCall) {
  ExpectNoOtherCall([] {
    void* block = malloc(100);
    if (!AllowOnly({SYS_exit_group})) _exit(kNoFilter);
    RefuseAll(kImpossible, block);
    if (calloc(Opaque(SIZE_MAX / 2), 4) != nullptr) _exit(kServed);
    if (reallocarray(block, Opaque(SIZE_MAX / 2), 4) != nullptr) {
      _exit(kServed);
    }
    if (memalign(Opaque(size_t{1} << 63), 8) != nullptr) _exit(kServed);
    void* aligned = nullptr;
    if (posix_memalign(&aligned, Opaque(size_t{24}), 8) != EINVAL) {
      _exit(kServed);
    }
    _exit(0);
  });
}

TEST(RefusalsTest, WhatTheSystemRefusesTakesTheCallsOfAnyAllocator) {
  ExpectNoOtherCall([] {
    void* small = malloc(100);
    void* large = malloc(5 * kMiB);
    LimitAddressSpace(kRoom);
    if (!AllowOnly({SYS_exit_group, SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap,
                    SYS_mprotect, SYS_madvise, SYS_futex})) {
      _exit(kNoFilter);
    }
    for (void* block : {small, large}) {
      RefuseAll(kBeyondAnyProcess, block);
      RefuseAll(kBeyondTheLimit, block);
    }
    for (int shift = 0; shift < 64; ++shift) {
      for (const size_t size : kBeyondTheLimit) {
        if (memalign(Opaque(size_t{1} << shift), size) != nullptr) {
          _exit(kServed);
        }
      }
    }
    _exit(0);
  });
}

// --- How often the system is asked -------------------------------------------

uint64_t Refused() { return Stats().map_failures; }

TEST(RefusalsTest, ARequestRefusedAgainIsAskedForOnce) {
  if (!HasTracing()) GTEST_SKIP() << "nothing is counted in this library";
  const ChildResult child = RunForked([] {
    LimitAddressSpace(kRoom);
    for (const size_t size : kBeyondTheLimit) {
      for (int i = 0; i < 5; ++i) EXPECT_EQ(malloc(Opaque(size)), nullptr);
      const uint64_t before = Refused();
      for (int i = 0; i < 1000; ++i) EXPECT_EQ(malloc(Opaque(size)), nullptr);
      // About every 100 ms a second attempt is allowed.
      EXPECT_GE(Refused() - before, 1000u);
      EXPECT_LT(Refused() - before, 1100u);
    }
  });
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.err, "");
}

TEST(RefusalsTest, WhatNoProcessCanHaveIsAskedForOnce) {
  if (!HasTracing()) GTEST_SKIP() << "nothing is counted in this library";
  const ChildResult child = RunForked([] {
    for (const size_t size : kBeyondAnyProcess) {
      const uint64_t before = Refused();
      EXPECT_EQ(malloc(Opaque(size)), nullptr);
      EXPECT_EQ(memalign(Opaque(size), 8), nullptr);
      EXPECT_LE(Refused() - before, 2u);
    }
  });
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.err, "");
}

// --- What can be served after giving back ------------------------------------

// Who frees the memory that the request needs.
enum class Freer { kThisThread, kAnother, kAnotherThatEnds };

class AfterGivingBackTest
    : public testing::TestWithParam<std::tuple<size_t, Freer>> {};

// Memory held, the room beside it, and a request that fits only once the held
// memory is freed.
constexpr size_t kHeld = 256 * kMiB;
constexpr size_t kBeside = 32 * kMiB;
constexpr size_t kWanted = 160 * kMiB;

void FreeAll(BlockChain* blocks) {
  while (void* block = blocks->Pop()) free(block);
}

TEST_P(AfterGivingBackTest, IsServedHoweverOftenItWasRefused) {
  const auto [size, freer] = GetParam();
  const ChildResult child = RunForked([size, freer] {
    BlockChain blocks;
    BlockChain beside;
    std::atomic<int> turn = 0;
    const auto wait_for = [&turn](int value) {
      while (turn != value) std::this_thread::yield();
    };
    // Started before the limit is set: its stack counts too.
    std::thread other([&] {
      free(malloc(100));
      for (int round = 0; round < 3; ++round) {
        wait_for(2 * round + 1);
        if (freer != Freer::kThisThread) FreeAll(&blocks);
        if (freer == Freer::kAnotherThatEnds) return;
        turn = 2 * round + 2;
      }
    });
    for (size_t held = 0; held < kHeld; held += size) {
      blocks.Push(malloc(size));
    }
    LimitAddressSpace(kBeside);
    const int rounds = freer == Freer::kAnotherThatEnds ? 1 : 3;
    for (int round = 0; round < rounds; ++round) {
      // Also beside the blocks: reserved but unused memory may be room.
      while (void* more = malloc(Opaque(kWanted))) beside.Push(more);
      // Repeatedly, so that the allocator knows that retrying is futile.
      for (int i = 0; i < 20; ++i) EXPECT_EQ(malloc(Opaque(kWanted)), nullptr);
      if (freer == Freer::kThisThread) FreeAll(&blocks);
      turn = 2 * round + 1;
      if (freer == Freer::kAnotherThatEnds) {
        other.join();
      } else {
        wait_for(2 * round + 2);
      }
      void* wanted = malloc(Opaque(kWanted));
      EXPECT_NE(wanted, nullptr) << "round " << round;
      free(wanted);
      for (size_t held = 0; held < kHeld; held += size) {
        if (void* block = malloc(size)) blocks.Push(block);
      }
    }
    if (other.joinable()) other.join();
  });
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.signal, 0);
  EXPECT_EQ(child.err, "");
}

INSTANTIATE_TEST_SUITE_P(
    EveryKind, AfterGivingBackTest,
    testing::Combine(testing::Values(64, 1000, 20 * kKiB, 300 * kKiB, 3 * kMiB,
                                     50 * kMiB),
                     testing::Values(Freer::kThisThread, Freer::kAnother,
                                     Freer::kAnotherThatEnds)));

// Some threads are refused all the time while others free: a refused request
// succeeds as soon as there is room.
TEST(RefusalsTest, ThreadsThatAreRefusedDoNotHideWhatOthersFree) {
  const ChildResult child = RunForked([] {
    std::atomic<bool> go = false;
    std::atomic<bool> done = false;
    std::vector<std::thread> refused;
    for (int t = 0; t < 2; ++t) {
      refused.emplace_back([&] {
        while (!go) std::this_thread::yield();
        while (!done) EXPECT_EQ(malloc(Opaque(size_t{1} << 40)), nullptr);
      });
    }
    std::vector<void*> held;
    for (size_t i = 0; i < kHeld / (2 * kMiB); ++i) {
      held.push_back(malloc(2 * kMiB));
    }
    LimitAddressSpace(kBeside);
    go = true;
    for (int round = 0; round < 30; ++round) {
      EXPECT_EQ(malloc(Opaque(kWanted)), nullptr);
      for (void*& block : held) {
        free(block);
        block = nullptr;
      }
      void* wanted = malloc(Opaque(kWanted));
      EXPECT_NE(wanted, nullptr) << "round " << round;
      free(wanted);
      for (void*& block : held) block = malloc(2 * kMiB);
    }
    done = true;
    for (std::thread& thread : refused) thread.join();
  });
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.signal, 0);
  EXPECT_EQ(child.err, "");
}

}  // namespace
}  // namespace hakmem_test
