// soak_worker: one round of the soak, on the malloc that it is started with.
//
//     soak_worker SEED MILLISECONDS THREADS BUDGET_MIB
//
// Prints its counters on stdout, a line of JSON, and a line on stderr for each
// error that it finds (of many, the first). SIGTERM ends the round early,
// with all checks. Exit status: 0, 1 for errors, 2 for bad arguments, 3 when it
// cannot run here.

#include <dlfcn.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <chrono>
#include <cinttypes>
#include <new>

#include "tools/soak/claims.h"
#include "tools/soak/counters.h"
#include "tools/soak/library.h"
#include "tools/soak/memory_check.h"
#include "tools/soak/refusals.h"
#include "tools/soak/thread_pool.h"

namespace hakmem::soak {
namespace {

// What may be resident at the end besides what was at the start: metadata of
// the allocator that stays, the worker's own, page tables' worth of claims.
constexpr size_t kAllowedBytes = size_t{32} << 20;
// Rings of events, which stay mapped.
constexpr size_t kEventBytes = size_t{48} << 20;

bool ParseNumber(const char* text, uint64_t low, uint64_t high,
                 uint64_t& number) {
  char* end;
  number = strtoull(text, &end, 10);
  return *text >= '0' && *text <= '9' && *end == '\0' && number >= low &&
         number <= high;
}

bool IsSet(const char* variable) {
  const char* const value = getenv(variable);
  return value != nullptr && strcmp(value, "0") != 0;
}

// Whether malloc is that of the library in LD_PRELOAD: the loader goes on when
// it cannot load one.
bool MallocIsPreloaded() {
  const char* const wanted = getenv("LD_PRELOAD");
  if (wanted == nullptr) return true;
  Dl_info info;
  static char path[PATH_MAX];
  static char file[PATH_MAX];
  return dladdr(reinterpret_cast<const void*>(&malloc), &info) != 0 &&
         realpath(info.dli_fname, file) != nullptr &&
         realpath(wanted, path) != nullptr && strcmp(file, path) == 0;
}

// Grows the main thread's stack now: later a lowered limit could forbid it.
__attribute__((noinline)) void GrowStack() {
  char room[256 * 1024];
  memset(room, 1, sizeof(room));
  asm volatile("" : : "r"(room) : "memory");
}

// Lets libc and the C++ runtime allocate what they allocate only once.
void WarmUp(size_t threads) {
  WarmUpThreads(threads);
  try {
    throw std::bad_alloc();
  } catch (const std::bad_alloc&) {
  }
  (void)mallinfo2();
  malloc_trim(0);
}

int Main(int argc, char** argv) {
  uint64_t seed;
  uint64_t milliseconds;
  uint64_t threads;
  uint64_t budget;
  if (argc != 5 || !ParseNumber(argv[1], 0, UINT64_MAX, seed) ||
      !ParseNumber(argv[2], 1, 86'400'000, milliseconds) ||
      !ParseNumber(argv[3], 1, kMostThreads, threads) ||
      !ParseNumber(argv[4], 1, 65536, budget)) {
    fputs("usage: soak_worker SEED MILLISECONDS THREADS BUDGET_MIB\n", stderr);
    return 2;
  }
  if (!MallocIsPreloaded()) {
    fputs("soak_worker: malloc is not that of LD_PRELOAD\n", stderr);
    return 3;
  }
  struct sigaction stop = {};
  stop.sa_handler = [](int) { StopThreads(); };
  stop.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &stop, nullptr);
  // libc would allocate a buffer, which would be live at the end.
  static char buffer[BUFSIZ];
  setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));

  InitSharedCounters();
  StartClaims();
  RememberLimits();
  FindLibraryFunctions();
  GrowStack();
  if (IsSet("HAKMEM_ACE_LIMIT_MB")) AlwaysAllowRefusals();
  WarmUp(2 * threads);
  const MemoryUse start = MeasureMemory();
  RunThreads({threads, seed, budget << 20,
              std::chrono::steady_clock::now() +
                  std::chrono::milliseconds(milliseconds)});
  const MemoryUse end = MeasureMemory();
  CheckEnd(start, end,
           kAllowedBytes + (IsSet("HAKMEM_EVENTS") ? kEventBytes : 0));

  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const SharedCounters& shared = Shared();
  printf("{\"operations\":%" PRIu64 ",\"checked\":%" PRIu64
         ",\"refused\":%" PRIu64 ",\"threads\":%" PRIu64 ",\"forks\":%" PRIu64
         ",\"limits\":%" PRIu64 ",\"peak_kib\":%ld,\"errors\":%" PRIu64 "}\n",
         shared.operations.load(), shared.checked.load(), shared.refused.load(),
         shared.threads.load(), shared.forks.load(), shared.limits.load(),
         usage.ru_maxrss, shared.errors.load());
  return shared.errors == 0 ? 0 : 1;
}

}  // namespace
}  // namespace hakmem::soak

int main(int argc, char** argv) { return hakmem::soak::Main(argc, argv); }
