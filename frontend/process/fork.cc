#include "frontend/process/fork.h"

#include <pthread.h>

#include <cstdint>

#include "ace/ace.h"
#include "backend/large/large.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/metadata.h"
#include "backend/memory/purge_turn.h"
#include "backend/spans/page_heap.h"
#include "base/os/stream_locks.h"
#include "base/sync/lock.h"
#include "base/sync/single_thread.h"
#include "frontend/guard/guard.h"
#include "frontend/sampling/sampling.h"
#include "frontend/thread_cache/thread_cache.h"
#include "linked_backend.h"
#include "os_calls.h"
#include "tracing/profile/profile.h"

namespace hakmem {
namespace {

// Written while every lock is held, or by the only thread of a child.
constinit bool forked_with_threads = false;
constinit bool lost_threads = false;
constinit uint32_t locked_again = 0;

// Nested forks of this thread, in progress, that leave the locks alone.
constinit thread_local uint32_t forks_without_locks = 0;

// Fork takes every lock in the lock order (docs/design.md), so that the child
// finds each structure whole.
//
// Exception: a signal handler forks that interrupted this thread inside a
// critical section; waiting for its own lock would never end. Then the child
// gets memory as it is. That is sound for all such a child may do: call
// async-signal-safe functions, exec or _exit; and in a process with one thread
// also for a child that returns from the handler into the interrupted section.
// Forks may nest: a handler may interrupt this function.
//
// Other fork handlers that were registered before ours run while the locks are
// held. They may allocate and free, since their thread holds every lock, and
// fork: then the locks are left alone too.
void BeforeFork() {
  if (ThreadMayHoldLocks()) {
    ++forks_without_locks;
    return;
  }
  // Like fork itself: with one thread, a signal handler may have interrupted
  // the use of a stream, and there is no other thread to exclude.
  const bool has_threads = !IsSingleThreaded();
  if (has_threads) StreamLocks::Lock();
  LockEverything();
  forked_with_threads = has_threads;
}

// Ends a fork; returns whether it left the locks alone.
bool EndForkWithoutLocks() {
  if (forks_without_locks == 0) return false;
  --forks_without_locks;
  return true;
}

void InParentAfterFork() {
  if (EndForkWithoutLocks()) return;
  const bool had_threads = forked_with_threads;
  UnlockEverything();
  if (had_threads) StreamLocks::Unlock();
}

// Makes the allocator the child's; the parent held every lock.
void BeginChild() {
  lost_threads = lost_threads || forked_with_threads;
  ThreadCache::AbandonOtherThreads();
  Sampling::BeginInChild();
}

void InChildAfterFork() {
  OnlyThreadInChild();
  PurgeTurn::ResetInChild();
  if (EndForkWithoutLocks()) {
    ThreadCache::UpdateThreadId();
    if (!HoldsEveryLockOnce()) return;
    // A fork handler forked, and the outer fork goes on in this child too.
    BeginChild();
    if (forked_with_threads) {
      StreamLocks::Reset();
      StreamLocks::Lock();
    }
    return;
  }
  const bool had_threads = forked_with_threads;
  UnlockEverything();
  if (had_threads) StreamLocks::Reset();
  // Calls the C library, through a function that a program may interpose.
  ThreadCache::UpdateThreadId();
  BeginChild();
}

}  // namespace

void RegisterForkHandlers() {
  // Early, so that other libraries' handlers, which may wait for threads that
  // allocate, run before ours take the locks and after they release them.
  // Without memory for the handlers, forks of a threaded process are unsafe.
  if (os::ShouldInjectFault(os::Call::kAtFork)) return;
  (void)pthread_atfork(BeforeFork, InParentAfterFork, InChildAfterFork);
}

// The lock order: docs/design.md.
void LockEverything() {
  if (HoldsEveryLock()) {
    ++locked_again;
    return;
  }
  Guard::LockForFork();
  Profile::LockForFork();
  ThreadCache::LockForFork();
  LinkedBackend::LockForFork();
  Ace::LockForFork();
  PageHeap::LockForFork();
  Large::LockForFork();
  ChunkSource::LockForFork();
  Metadata::LockForFork();
  BeginHoldingEveryLock();
}

void UnlockEverything() {
  if (locked_again != 0) {
    --locked_again;
    return;
  }
  EndHoldingEveryLock();
  Metadata::UnlockAfterFork();
  ChunkSource::UnlockAfterFork();
  Large::UnlockAfterFork();
  PageHeap::UnlockAfterFork();
  Ace::UnlockAfterFork();
  LinkedBackend::UnlockAfterFork();
  ThreadCache::UnlockAfterFork();
  Profile::UnlockAfterFork();
  Guard::UnlockAfterFork();
  EndReleasingEveryLock();
}

bool MayHaveLostThreads() { return lost_threads; }

}  // namespace hakmem
