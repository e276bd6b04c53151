// A process that, once started, may make only the system calls of libc's own
// malloc: brk, mmap, munmap, mremap, mprotect, madvise and futex, plus a few
// that the test needs. Any other is reported and ends the process.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr int kAllocators[] = {SYS_brk,    SYS_mmap,     SYS_munmap,
                               SYS_mremap, SYS_mprotect, SYS_madvise,
                               SYS_futex};
// Calls of the test itself: it waits, reports, and exits.
constexpr int kTests[] = {
    SYS_write,      SYS_nanosleep,    SYS_clock_nanosleep, SYS_exit,
    SYS_exit_group, SYS_rt_sigreturn, SYS_rt_sigprocmask};

void OnForbiddenCall(int, siginfo_t* info, void*) {
  char line[80];
  const int length =
      snprintf(line, sizeof(line), "system call %d\n", info->si_syscall);
  (void)!write(STDERR_FILENO, line, static_cast<size_t>(length));
  _exit(31);
}

// Applies to all threads of this process from now on.
void ForbidOtherCalls() {
  struct sigaction action = {};
  action.sa_sigaction = OnForbiddenCall;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSYS, &action, nullptr);
  std::vector<sock_filter> filter;
  filter.push_back(
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
  const auto allow = [&filter](int number) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                              static_cast<uint32_t>(number), 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  };
  for (const int number : kAllocators) allow(number);
  for (const int number : kTests) allow(number);
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
  const sock_fprog program = {static_cast<unsigned short>(filter.size()),
                              filter.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
              &program) != 0) {
    perror("seccomp");
    _exit(77);
  }
}

void* blocks[20'000];

void AllocateAndFreeAll(size_t count, size_t least, size_t range) {
  for (size_t i = 0; i < count; ++i) {
    const size_t size = least + i * 7919 % range;
    blocks[i] = malloc(size);
    if (blocks[i] == nullptr) abort();
    memset(blocks[i], 1, size);
  }
  for (size_t i = 0; i < count; ++i) free(blocks[i]);
}

// All ordinary operations: each size, decay, resizing, trimming.
void Work() {
  for (int round = 0; round < 3; ++round) {
    AllocateAndFreeAll(20'000, 16, 3000);
    AllocateAndFreeAll(2000, 3000, 30'000);
    usleep(200'000);
    AllocateAndFreeAll(300, 40'000, 900'000);
    usleep(200'000);
  }
  for (int round = 0; round < 10; ++round) {
    void* block = nullptr;
    for (size_t size = 5 * kMiB; size < 40 * kMiB; size += 5 * kMiB) {
      block = realloc(block, size);
      memset(block, 1, size);
    }
    free(block);
  }
  free(aligned_alloc(4 * kMiB, 5 * kMiB));
  free(calloc(3, kMiB));
  malloc_trim(0);
  AllocateAndFreeAll(20'000, 16, 3000);
}

int WorksAlone() {
  free(malloc(1));
  ForbidOtherCalls();
  Work();
  return 0;
}
const ChildProgram works_alone("works_alone", WorksAlone);

// Threads that first allocate, and end, after the sandbox is set.
int WorksInThreads() {
  std::atomic<bool> go{false};
  std::atomic<int> begun{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&go, &begun] {
      ++begun;
      while (!go) usleep(1000);
      for (int k = 0; k < 20'000; ++k) free(malloc(16 + k * 7919 % 100'000));
      malloc_trim(0);
    });
  }
  while (begun != 3) usleep(1000);
  ForbidOtherCalls();
  go = true;
  Work();
  // Ending a thread makes calls of libc's, which any sandbox must allow.
  usleep(100'000);
  _exit(0);
}
const ChildProgram works_in_threads("works_in_threads", WorksInThreads);

void ExpectGood(const ChildResult& child) {
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.signal, 0);
  EXPECT_EQ(child.err, "");
}

TEST(SandboxTest, OrdinaryWorkMakesTheCallsOfMallocOnly) {
  ExpectGood(RunChildProgram("works_alone"));
}

TEST(SandboxTest, SoDoThreads) {
  ExpectGood(RunChildProgram("works_in_threads"));
}

}  // namespace
}  // namespace hakmem_test
