#include "frontend/process/fork.h"

#include <pthread.h>

#include <cstdint>

#include "ace/ace.h"
#include "backend/large/large.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/metadata.h"
#include "backend/spans/page_heap.h"
#include "base/os/stream_locks.h"
#include "base/sync/lock.h"
#include "base/sync/single_thread.h"
#include "frontend/guard/guard.h"
#include "frontend/process/housekeeping.h"
#include "frontend/thread_cache/thread_cache.h"
#include "linked_backend.h"
#include "os_calls.h"

namespace hakmem {
namespace {

// Written while every lock is held, or by a child's only thread.
constinit bool forked_with_threads = false;
constinit bool lost_threads = false;
constinit uint32_t locked_again = 0;

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
//
// Fork handlers of others that were registered before ours run while the locks
// are held. They may allocate and free, since their thread holds every lock,
// and fork: then the locks are left alone too.
void BeforeFork() {
  if (ThreadMayHoldLocks()) {
    ++forks_without_locks;
    return;
  }
  // As fork: with one thread, what a signal handler interrupted may be amid a
  // stream, and nobody else is there to exclude.
  const bool has_threads = !IsSingleThreaded();
  if (has_threads) StreamLocks::Lock();
  LockEverything();
  forked_with_threads = has_threads;
}

// Whether the fork that ends now was one that left the locks alone.
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

// Makes the allocator that of the child, where the parent held every lock.
void BeginChild() {
  lost_threads = lost_threads || forked_with_threads;
  ThreadCache::AbandonOtherThreads();
  Guard::BeginInChild();
}

void InChildAfterFork() {
  OnlyThreadInChild();
  ResetHousekeepingInChild();
  if (EndForkWithoutLocks()) {
    ThreadCache::NameThisThread();
    if (!OnlyHoldsEveryLock()) return;
    // A handler of a fork forked, and that fork goes on in this child too.
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
  // Asks the C library, by a function that a program may interpose.
  ThreadCache::NameThisThread();
  BeginChild();
}

}  // namespace

void RegisterForkHandlers() {
  // Early, so that other libraries' handlers, which may wait for threads that
  // allocate, run before ours take the locks and after they release them.
  // Without memory for the handlers a fork from a threaded process is as unsafe
  // as without them.
  if (os::FailsOnPurpose(os::Call::kAtFork)) return;
  (void)pthread_atfork(BeforeFork, InParentAfterFork, InChildAfterFork);
}

// The lock order: docs/design.md.
void LockEverything() {
  if (HoldsEveryLock()) {
    ++locked_again;
    return;
  }
  Guard::LockForFork();
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
  Guard::UnlockAfterFork();
  EndReleasingEveryLock();
}

bool MayHaveLostThreads() { return lost_threads; }

}  // namespace hakmem
