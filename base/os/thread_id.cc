#include "base/os/thread_id.h"

#include <linux/futex.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>

#include "base/os/system_call.h"

// Declared in glibc's <ctype.h>; musl defines it without declaring it.
extern "C" const unsigned short int** __ctype_b_loc() noexcept
    __attribute__((const));

namespace hakmem {
namespace {

uint32_t AskKernel() { return static_cast<uint32_t>(SystemCall(SYS_gettid)); }

// The thread id is encoded in the id of the thread's CPU-time clock (Linux,
// include/linux/posix-timers.h), which the C library computes without a system
// call. 0 if it does not.
uint32_t IdOfOwnClock() {
  clockid_t clock;
  if (pthread_getcpuclockid(pthread_self(), &clock) != 0) return 0;
  constexpr int kKindBits = 3;
  return static_cast<uint32_t>(~(clock >> kKindBits));
}

enum class Answer : uint8_t { kUnknown, kYes, kNo };

// relaxed, both: every thread computes the same value.
constinit std::atomic<Answer> clock_tells{Answer::kUnknown};
constinit std::atomic<Answer> futex_tells{Answer::kUnknown};

[[gnu::cold, gnu::noinline]] uint32_t AskKernelAndCompare() {
  const uint32_t asked = AskKernel();
  if (clock_tells.load(std::memory_order_relaxed) == Answer::kUnknown) {
    clock_tells.store(asked == IdOfOwnClock() ? Answer::kYes : Answer::kNo,
                      std::memory_order_relaxed);
  }
  return asked;
}

// Tries to take a priority-inheritance lock whose word says that `thread` holds
// it. The kernel looks that thread up: -ESRCH if it does not exist or has
// ended, -EDEADLK if it is the calling thread.
long TryLockOf(uint32_t thread) {
  uint32_t word = thread;
  return SystemCall(SYS_futex, &word, FUTEX_TRYLOCK_PI_PRIVATE, 0, nullptr,
                    nullptr, 0);
}

// Whether the kernel does so (emulators may not); probed with an id beyond all
// that it assigns.
bool FutexTells() {
  Answer answer = futex_tells.load(std::memory_order_relaxed);
  if (answer == Answer::kUnknown) {
    answer = TryLockOf(FUTEX_TID_MASK) == -ESRCH ? Answer::kYes : Answer::kNo;
    futex_tells.store(answer, std::memory_order_relaxed);
  }
  return answer == Answer::kYes;
}

}  // namespace

uint32_t ThreadId() {
  // Each failure comes here: first what nearly all calls find.
  if (clock_tells.load(std::memory_order_relaxed) == Answer::kYes) [[likely]] {
    const uint32_t id = IdOfOwnClock();
    if (id != 0) [[likely]]
      return id;
  }
  return AskKernelAndCompare();
}

bool ThreadHasEnded(uint32_t thread) {
  const uint32_t own = ThreadId();
  if (FutexTells()) {
    return TryLockOf(own) == -EDEADLK && TryLockOf(thread) == -ESRCH;
  }
  const long process = SystemCall(SYS_getpid);
  return SystemCall(SYS_tgkill, process, own, 0) == 0 &&
         SystemCall(SYS_tgkill, process, thread, 0) == -ESRCH;
}

bool IsThreadOfThisLibrary() {
  // glibc sets its character table up in each thread that it starts, before
  // anything else, and in the first one at load. (musl has one for all
  // threads.)
  if (*__ctype_b_loc() != nullptr) return true;
  return SystemCall(SYS_getpid) == SystemCall(SYS_gettid);
}

}  // namespace hakmem
