#include "frontend/housekeeping.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>

#include "ace/ace.h"
#include "backend/chunk_source.h"
#include "backend/dirty_ledger.h"
#include "backend/emergency.h"
#include "backend/huge_pages.h"
#include "backend/large.h"
#include "backend/metadata.h"
#include "backend/page_heap.h"
#include "backend/purge_budget.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/options.h"
#include "base/os_memory.h"
#include "base/single_thread.h"
#include "base/stream_locks.h"
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

// The longest that one call of malloc or free gives memory back for. Of a
// thread with few calls each must do more.
constexpr uint64_t kMostNanoseconds = 300'000;
constexpr uint64_t kMostQuietNanoseconds = 1'000'000;

// Free memory may stay resident for the decay time, but no more of it than
// this, or than half of the memory in use if that is more: a process may make
// no call any more.
constexpr size_t kMostDirtyBytes = size_t{64} << 20;
constexpr size_t kDirtyPart = 2;

// One thread at a time does housekeeping that can wait.
constinit std::atomic<bool> is_housekeeping{false};
// Whether the last run had not the time to purge all that was due. Of whoever
// is_housekeeping.
constinit bool has_more_to_purge = false;

void EndEpoch(uint64_t now, bool force) {
  LinkedBackend::EndEpoch(now, force);
  Ace::EndEpoch(now, force);
}

size_t Purge(uint64_t now, bool force, PurgeBudget* budget) {
  return LinkedBackend::Purge(now, force, budget) +
         Ace::Purge(now, force, budget) +
         ChunkSource::Purge(now, force, budget);
}

size_t MostDirty() {
  return std::max(kMostDirtyBytes, ChunkSource::BytesInUse() / kDirtyPart);
}

// Purges free chunks that are not due yet, until no more memory than may be is
// free and resident.
void PurgeExcess(uint64_t now) {
  PurgeBudget budget(kMostNanoseconds, MostDirty());
  ChunkSource::Purge(now + options::Get(options::k_decay), /*force=*/false,
                     &budget);
}

// Purges what is due, as far as one call may.
void PurgeDue(uint64_t now, bool is_quiet) {
  if (!has_more_to_purge) EndEpoch(now, /*force=*/false);
  PurgeBudget budget(is_quiet ? kMostQuietNanoseconds : kMostNanoseconds);
  Purge(now, /*force=*/false, &budget);
  has_more_to_purge = budget.is_spent();
}

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
  is_housekeeping.store(false, std::memory_order_relaxed);
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

// The dynamic loader calls malloc before the C library has an environment. The
// first of constructors, where the allocator is linked into the program: what
// others register, in particular fork handlers, should come after ours.
__attribute__((constructor(101))) void BeginAtLoad() {
  options::Read();
  BeginProcess();
  os::ReadCommitMode();
  ThreadCache::ApplyOptions();
  TellWhenASanitizerServes();
  Guard::Start();
  if (Guard::IsOn()) ThreadCache::LeaveHotPathEverywhere();
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

void RunHousekeeping(uint64_t now, bool is_quiet) {
  const bool is_due = now >= next_run.load(std::memory_order_relaxed);
  const bool is_excess = DirtyLedger::Bytes() > MostDirty();
  if (!is_due && !is_excess) return;
  // acquire: pairs with the release below; what is touched has locks of its
  // own, but for has_more_to_purge.
  if (is_housekeeping.exchange(true, std::memory_order_acquire)) return;
  if (is_excess) PurgeExcess(now);
  if (is_due) {
    PurgeDue(now, is_quiet);
    const uint64_t interval =
        std::clamp<uint64_t>(options::Get(options::k_decay) / 8, 1, 1000);
    const uint64_t wait = !has_more_to_purge ? interval : is_quiet ? 0 : 1;
    next_run.store(now + wait, std::memory_order_relaxed);
    TellOfRefusedHugePages();
  }
  is_housekeeping.store(false, std::memory_order_release);
}

void GatherFreeChunks(uint64_t now) {
  // Twice: what is kept at first is given up when found unused again.
  for (int round = 0; round < 2; ++round) EndEpoch(now, /*force=*/false);
}

size_t CollectEverything() {
  const uint64_t now = CoarseMilliseconds();
  // Twice: what the first round empties, the second gives back.
  size_t given_back = 0;
  for (int round = 0; round < 2; ++round) {
    EndEpoch(now, /*force=*/true);
    given_back += Purge(now, /*force=*/true, nullptr);
  }
  return given_back;
}

}  // namespace hakmem
