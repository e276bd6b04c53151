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
#include "frontend/thread_cache/thread_cache.h"

namespace hakmem {
namespace {

constinit std::atomic<bool> process_begun{false};

// The dynamic loader calls malloc before the C library has an environment. The
// first of constructors, where the allocator is linked into the program: what
// others register, in particular fork handlers, should come after ours.
__attribute__((constructor(101))) void BeginAtLoad() {
  options::Read();
  BeginProcess();
  os::ReadCommitMode();
  ReadProcessors();
  ThreadCache::ApplyOptions();
  TellWhenASanitizerServes();
  Guard::Start();
  if (Guard::IsOn()) ThreadCache::DisableFastPathOnAllThreads();
}

}  // namespace

void BeginProcess() {
  RefuseToReplaceASanitizer();
  options::Read();
  // relaxed: the first thread begins before there is another that could need
  // what follows, and each of the two is safe to be called late.
  if (process_begun.exchange(true, std::memory_order_relaxed)) return;
  Emergency::WhenBegun(&ThreadCache::LeaveForEmergency);
  // Without a key, caches of threads that have ended are looked for
  // (ThreadCache::Attach).
  (void)InitThreadExit(&ThreadCache::OnThreadExit);
  RegisterForkHandlers();
}

}  // namespace hakmem
