#include "frontend/housekeeping.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>

#include "ace/ace.h"
#include "backend/chunk_source.h"
#include "backend/emergency.h"
#include "backend/huge_pages.h"
#include "backend/large.h"
#include "backend/metadata.h"
#include "backend/page_heap.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/options.h"
#include "base/single_thread.h"
#include "base/thread_exit.h"
#include "frontend/guard.h"
#include "frontend/sanitizer_runtime.h"
#include "frontend/thread_cache.h"
#include "linked_backend.h"
#include "os_calls.h"
#include "tracing/failure.h"

namespace hakmem {
namespace {

constinit std::atomic<bool> process_begun{false};
constinit std::atomic<uint64_t> next_run{0};

// Written while every lock is held, or by a child's only thread.
constinit bool forked_with_threads = false;
constinit bool lost_threads = false;

// Forks of this thread, begun and not done, that leave the locks alone.
constinit thread_local uint32_t forks_without_locks = 0;

// Fork takes every lock in the lock order (docs/design.md), so that the child
// finds each structure whole.
//
// Not so when a signal handler forks that interrupted this very thread inside a
// critical section: to wait for its own lock would be for ever. Then the child
// gets memory as it is. That is sound for what such a child may do at all, call
// async-signal-safe functions, exec or _exit; and where the process has one
// thread, also for a child that returns from the handler, into the section that
// was interrupted. Forks may be nested: a handler may interrupt this function.
void BeforeFork() {
  if (ThreadMayHoldLocks()) {
    ++forks_without_locks;
    return;
  }
  LockEverything();
  forked_with_threads = !IsStillSingleThreaded();
}

// Whether the fork that ends now was one that left the locks alone.
bool EndForkWithoutLocks() {
  if (forks_without_locks == 0) return false;
  --forks_without_locks;
  return true;
}

void InParentAfterFork() {
  if (!EndForkWithoutLocks()) UnlockEverything();
}

void InChildAfterFork() {
  OnlyThreadInChild();
  if (EndForkWithoutLocks()) return ThreadCache::NameThisThread();
  lost_threads = lost_threads || forked_with_threads;
  UnlockEverything();
  // Asks the C library, by a function that a program may interpose.
  ThreadCache::NameThisThread();
  ThreadCache::AbandonOtherThreads();
  Guard::BeginInChild();
}

// A refusal that no request of the program failed for.
void TellOfRefusedHugePages() {
  if constexpr (!kTracing) return;
  const HugePages::Refusal refusal = HugePages::TakeRefusal();
  if (refusal.error == 0) return;
  NoteMapFail(OsRequest::kHugePages, refusal.error, refusal.bytes);
  FailedRequest none;
  none.layer = Layer::kBackend;
  none.error = refusal.error;
  RecordFailure(none);
}

size_t Collect(uint64_t now, bool force) {
  return LinkedBackend::Collect(now, force) + Ace::Collect(now, force) +
         ChunkSource::Purge(now, force);
}

// The dynamic loader calls malloc before the C library has an environment.
__attribute__((constructor)) void ReadOptionsAtLoad() {
  options::Read();
  ThreadCache::ApplyOptions();
  TellWhenASanitizerServes();
  Guard::Start();
  if (Guard::IsOn()) ThreadCache::LeaveHotPathEverywhere();
}

}  // namespace

void BeginProcess(void (*on_thread_exit)(void* cache)) {
  RefuseToReplaceASanitizer();
  options::Read();
  // relaxed: the first thread begins before there is another that could need
  // what follows, and each of the two is safe to be called late.
  if (process_begun.exchange(true, std::memory_order_relaxed)) return;
  Emergency::WhenBegun(&ThreadCache::LeaveForEmergency);
  // Without a key, threads' caches stay when they end: a leak, not an error.
  (void)InitThreadExit(on_thread_exit);
  // Early, so that other libraries' handlers, which may allocate, run before
  // ours take the locks and after they release them. Without memory for the
  // handlers a fork from a threaded process is as unsafe as without them.
  if (os::FailsOnPurpose(os::Call::kAtFork)) return;
  (void)pthread_atfork(BeforeFork, InParentAfterFork, InChildAfterFork);
}

// The lock order: docs/design.md.
void LockEverything() {
  Guard::LockForFork();
  ThreadCache::LockForFork();
  LinkedBackend::LockForFork();
  Ace::LockForFork();
  PageHeap::LockForFork();
  Large::LockForFork();
  ChunkSource::LockForFork();
  Metadata::LockForFork();
}

void UnlockEverything() {
  Metadata::UnlockAfterFork();
  ChunkSource::UnlockAfterFork();
  Large::UnlockAfterFork();
  PageHeap::UnlockAfterFork();
  Ace::UnlockAfterFork();
  LinkedBackend::UnlockAfterFork();
  ThreadCache::UnlockAfterFork();
  Guard::UnlockAfterFork();
}

bool MayHaveLostThreads() { return lost_threads; }

void RunHousekeeping(uint64_t now) {
  uint64_t due = next_run.load(std::memory_order_relaxed);
  if (now < due) return;
  const uint64_t interval =
      std::clamp<uint64_t>(options::Get(options::k_decay) / 8, 1, 1000);
  // relaxed: only one thread of those that find it due should do it; what is
  // touched has locks of its own.
  if (!next_run.compare_exchange_strong(due, now + interval,
                                        std::memory_order_relaxed)) {
    return;
  }
  Collect(now, /*force=*/false);
  TellOfRefusedHugePages();
}

void GatherFreeChunks(uint64_t now) {
  // Twice: what is kept at first is given up when found unused again.
  for (int round = 0; round < 2; ++round) {
    LinkedBackend::Collect(now, /*force=*/false);
    Ace::Collect(now, /*force=*/false);
  }
}

size_t CollectEverything() {
  const uint64_t now = CoarseMilliseconds();
  // Twice: what the first round empties, the second gives back.
  const size_t first = Collect(now, /*force=*/true);
  return first + Collect(now, /*force=*/true);
}

}  // namespace hakmem
