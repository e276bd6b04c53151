#include "frontend/process/begin.h"

#include <atomic>

#include "backend/errors/emergency.h"
#include "base/os/os_memory.h"
#include "base/os/processors.h"
#include "base/os/thread_exit.h"
#include "base/text/options.h"
#include "frontend/guard/guard.h"
#include "frontend/process/fork.h"
#include "frontend/process/sanitizer_runtime.h"
#include "frontend/sampling/sampling.h"
#include "frontend/thread_cache/thread_cache.h"

namespace hakmem {
namespace {

constinit std::atomic<bool> process_begun{false};

// The dynamic loader calls malloc before the C library has an environment.
// Where the allocator is linked into the program this is the first constructor:
// fork handlers and the like that others register should come after ours.
__attribute__((constructor(101))) void BeginAtLoad() {
  options::Read();
  BeginProcess();
  os::ReadCommitMode();
  ReadProcessors();
  ThreadCache::ApplyOptions();
  WarnIfSanitizerMallocServes();
  Guard::Start();
  if (Guard::IsOn()) {
    Sampling::Update();
    ThreadCache::DisableFastPathOnAllThreads();
  }
}

}  // namespace

void BeginProcess() {
  ExitIfReplacingSanitizerMalloc();
  options::Read();
  // relaxed: the first thread begins before another exists that could need the
  // steps below, and each of them may run late.
  if (process_begun.exchange(true, std::memory_order_relaxed)) return;
  Emergency::SetBeginCallback(&ThreadCache::LeaveForEmergency);
  // Without a key, ThreadCache::Attach looks for caches of ended threads.
  (void)InitThreadExit(&ThreadCache::OnThreadExit);
  RegisterForkHandlers();
}

}  // namespace hakmem
