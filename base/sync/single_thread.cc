#include "base/sync/single_thread.h"

#include <linux/futex.h>
#include <linux/membarrier.h>

#include <ctime>

#include "base/os/system_call.h"

namespace hakmem {

constinit thread_local std::atomic<uint32_t> internal::locks_counted{0};

constinit std::atomic<uintptr_t> internal::only_thread_word{
    only_thread::kNobody};

namespace {

using internal::only_thread_word;

// By futex, which no sandbox forbids an allocator.
void Sleep(long nanoseconds) {
  const uint32_t word = 0;
  const timespec time = {0, nanoseconds};
  SystemCall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &time, nullptr, 0);
}

long Membarrier(int command) {
  return SystemCall(SYS_membarrier, command, 0, 0);
}

// Has every running thread of the process pass a full memory fence.
void FenceAll() {
  // For CPUs without the system call's fence, and for this thread.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) return;
  if (Membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0 &&
      Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) {
    return;
  }
  if (Membarrier(MEMBARRIER_CMD_GLOBAL) == 0) return;
  // Refused. A store leaves a CPU's store buffer within microseconds.
  constexpr long kLongEnoughNs = 10'000'000;
  Sleep(kLongEnoughNs);
}

// acquire: pairs with the release in UncountLock.
uint32_t LocksOf(uintptr_t name) {
  return reinterpret_cast<const std::atomic<uint32_t>*>(name)->load(
      std::memory_order_acquire);
}

}  // namespace

bool internal::EnterAsThread() {
  constexpr long kPauseNs = 20'000;
  return only_thread::Enter(only_thread_word, ThisThreadsName(), LocksOf,
                            FenceAll, [] { Sleep(kPauseNs); });
}

void ThreadBegins() {
  if (internal::LibraryKnowsOneThread()) {
    (void)IsSingleThreaded();
    return;
  }
  // glibc's flag now keeps every thread from plain stores. The word below
  // ensures it should glibc set the flag again.
  uintptr_t named = only_thread_word.load(std::memory_order_relaxed);
  while (named != only_thread::kSeveral &&
         named != internal::ThisThreadsName()) {
    // A first thread in a process of several is not the only one either.
    // relaxed: no thread is alone any more.
    if (only_thread_word.compare_exchange_weak(named, only_thread::kSeveral,
                                               std::memory_order_relaxed)) {
      return;
    }
  }
}

void ThreadEnds() {
  uintptr_t named = internal::ThisThreadsName();
  // relaxed: only this thread could have been alone.
  (void)only_thread_word.compare_exchange_strong(named, only_thread::kSeveral,
                                                 std::memory_order_relaxed);
}

void OnlyThreadInChild() {
  // relaxed: there is no other thread.
  only_thread_word.store(internal::ThisThreadsName(),
                         std::memory_order_relaxed);
}

}  // namespace hakmem
