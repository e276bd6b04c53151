// Acts like a tool that traces memory calls or fakes the clock: replaces libc's
// functions, and allocates in each before it forwards the call. Preloaded by
// interposed_calls_test.
//
// The clock stands still. The functions that the allocator must call, for keys
// and signals, allocate too.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "base/os/system_call.h"

namespace {

using hakmem::SystemCall;

std::atomic<uint64_t> calls{0};
thread_local bool inside = false;

// Allocates blocks of each kind.
void Allocate() {
  if (inside) return;
  inside = true;
  for (const size_t size : {24, 500, 5000, 40'000, 300'000, 2'000'000}) {
    void* block = malloc(size);
    if (block != nullptr) memset(block, 1, 24);
    free(block);
  }
  inside = false;
}

// Entry of a function that the allocator must not call; also counts the call.
void Enter() {
  if (!inside) calls.fetch_add(1, std::memory_order_relaxed);
  Allocate();
}

template <typename Function>
Function* TheNext(Function*, const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// Returns as libc does: errno and -1, or the result.
long Answer(long result) {
  if (!hakmem::IsRefusal(result)) return result;
  errno = static_cast<int>(-result);
  return -1;
}

template <typename... Arguments>
long Interposed(long number, Arguments... arguments) {
  Enter();
  return Answer(SystemCall(number, arguments...));
}

int StoppedClock(timespec* time) {
  *time = {1000, 0};
  return 0;
}

}  // namespace

#define HOOK extern "C" __attribute__((visibility("default")))

HOOK uint64_t InterposedCalls() { return calls; }

HOOK void* mmap(void* at, size_t bytes, int protection, int flags, int file,
                off_t offset) noexcept {
  return reinterpret_cast<void*>(
      Interposed(SYS_mmap, at, bytes, protection, flags, file, offset));
}

HOOK void* mmap64(void* at, size_t bytes, int protection, int flags, int file,
                  off64_t offset) noexcept {
  return mmap(at, bytes, protection, flags, file, offset);
}

HOOK int munmap(void* at, size_t bytes) noexcept {
  return static_cast<int>(Interposed(SYS_munmap, at, bytes));
}

HOOK void* mremap(void* at, size_t bytes, size_t new_bytes, int flags,
                  ...) noexcept {
  va_list more;
  va_start(more, flags);
  void* target = (flags & MREMAP_FIXED) != 0 ? va_arg(more, void*) : nullptr;
  va_end(more);
  return reinterpret_cast<void*>(
      Interposed(SYS_mremap, at, bytes, new_bytes, flags, target));
}

HOOK int mprotect(void* at, size_t bytes, int protection) noexcept {
  return static_cast<int>(Interposed(SYS_mprotect, at, bytes, protection));
}

HOOK int madvise(void* at, size_t bytes, int advice) noexcept {
  return static_cast<int>(Interposed(SYS_madvise, at, bytes, advice));
}

HOOK int mincore(void* at, size_t bytes, unsigned char* pages) noexcept {
  return static_cast<int>(Interposed(SYS_mincore, at, bytes, pages));
}

HOOK int getrlimit(__rlimit_resource_t resource, rlimit* limit) noexcept {
  return static_cast<int>(
      Interposed(SYS_prlimit64, 0, resource, nullptr, limit));
}

HOOK int getrlimit64(__rlimit_resource_t resource, rlimit64* limit) noexcept {
  return static_cast<int>(
      Interposed(SYS_prlimit64, 0, resource, nullptr, limit));
}

HOOK ssize_t getrandom(void* buffer, size_t bytes, unsigned flags) {
  return Interposed(SYS_getrandom, buffer, bytes, flags);
}

HOOK pid_t gettid() noexcept {
  return static_cast<pid_t>(Interposed(SYS_gettid));
}

HOOK pid_t getpid() noexcept {
  return static_cast<pid_t>(Interposed(SYS_getpid));
}

HOOK int sched_yield() noexcept {
  return static_cast<int>(Interposed(SYS_sched_yield));
}

HOOK int clock_gettime(clockid_t, timespec* time) noexcept {
  Enter();
  return StoppedClock(time);
}

HOOK long syscall(long number, ...) noexcept {
  va_list more;
  va_start(more, number);
  long a[6];
  for (long& argument : a) argument = va_arg(more, long);
  va_end(more);
  Enter();
  if (number == SYS_clock_gettime) {
    return StoppedClock(reinterpret_cast<timespec*>(a[1]));
  }
  return Answer(SystemCall(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}

HOOK int pthread_key_create(pthread_key_t* key, void (*end)(void*)) noexcept {
  Allocate();
  return TheNext(&pthread_key_create, "pthread_key_create")(key, end);
}

HOOK int pthread_setspecific(pthread_key_t key, const void* value) noexcept {
  Allocate();
  return TheNext(&pthread_setspecific, "pthread_setspecific")(key, value);
}

HOOK int pthread_getcpuclockid(pthread_t thread, clockid_t* clock) noexcept {
  Allocate();
  return TheNext(&pthread_getcpuclockid, "pthread_getcpuclockid")(thread,
                                                                  clock);
}

HOOK int sigaction(int signal, const struct sigaction* now,
                   struct sigaction* before) noexcept {
  Allocate();
  using Function = int(int, const struct sigaction*, struct sigaction*);
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, "sigaction"))(signal, now,
                                                                    before);
}
