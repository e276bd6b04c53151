// Beginning and end of thread caches, the list of all of them, and fork.
#include <algorithm>

#include "absl/base/thread_annotations.h"
#include "backend/memory/chunk_source.h"
#include "backend/memory/dirty_bytes.h"
#include "backend/memory/metadata.h"
#include "backend/memory/metadata_check.h"
#include "backend/memory/pagemap.h"
#include "backend/memory/purge_budget.h"
#include "backend/verify/heap_verifier.h"
#include "base/os/clock.h"
#include "base/os/thread_exit.h"
#include "base/os/thread_id.h"
#include "base/sync/lock.h"
#include "base/sync/single_thread.h"
#include "base/text/options.h"
#include "frontend/thread_cache/bins_switch.h"
#include "frontend/thread_cache/fallback_heap.h"
#include "frontend/thread_cache/parked_caches.h"
#include "frontend/thread_cache/retry_gate.h"
#include "frontend/thread_cache/shelves.h"
#include "frontend/thread_cache/thread_cache.h"
#include "hardening/levels.h"
#include "hardening/secret.h"

namespace hakmem {

// Defined in the layer above (frontend/process/begin.h): what the process does
// before its first cache exists.
void BeginProcess();

namespace {

// The initial value of a thread's life is not zero: in the main thread it reads
// as 0 until the loader has copied the initial values of thread-local
// variables. Values stored in such variables before that are lost, so no cache
// may begin (bins_at_relocation.cc).
enum class Life : uint8_t {
  kNoVariables,
  kNotBegun,
  kBeginning,
  kRunning,
  kEnded
};

constinit thread_local Life life = Life::kNotBegun;

// Blocks that this thread allocated and freed before it had a cache.
constexpr uint8_t kBlocksWithoutCache = 8;
constinit thread_local uint8_t blocks_without_cache = 0;

constinit MetadataAllocator<ThreadCache> cache_pool;
constinit Mutex caches_mutex;
constinit IntrusiveList<ThreadCache> caches ABSL_GUARDED_BY(caches_mutex);

// In the list of caches as well.
constinit ParkedCaches parked ABSL_GUARDED_BY(caches_mutex);

// A new thread looks for caches of ended threads when there are this many:
// twice as many as after the last look or thread exit. So they hardly outnumber
// those of live ones, and cost about two system calls per new thread. relaxed:
// a hint.
constexpr size_t kMinCachesToScan = 16;
constinit std::atomic<size_t> caches_to_scan{kMinCachesToScan};

size_t CachesToLookAfter(size_t caches) {
  return std::max(kMinCachesToScan, 2 * caches);
}

// Threads are asked to look at the clock this often, at most this many at once.
constexpr uint64_t kAskOthersEveryMs = 100;
constexpr int kMaxAskedAtOnce = 128;
// While this many reserves, whose memory is not counted, are in use, threads
// are asked though little is free. Each thread is asked this often.
constexpr size_t kManyReserves = 8;
constexpr uint64_t kAskEachEveryMs = 500;
constinit std::atomic<uint64_t> next_request_to_look{0};
constinit std::atomic<size_t> dirty_at_request_to_look{0};

// Number of FlushReserves' last call. relaxed: it orders nothing.
constinit std::atomic<uint32_t> flushes{0};
// How many threads FlushIdleReserves looks at in one call.
constexpr size_t kMaxScannedForIdle = 256;

}  // namespace

constinit thread_local ThreadCache* ThreadCache::own_ = nullptr;
constinit std::atomic<size_t> ThreadCache::count_{0};
constinit std::atomic<size_t> ThreadCache::reserves_in_use_{0};

// Most threads of a waiting pool, and many short-lived ones, allocate next to
// nothing: a cache costs more than it saves. The first thread gets one at once.
ThreadCache* ThreadCache::AttachLater() {
  if (blocks_without_cache < kBlocksWithoutCache &&
      count_.load(std::memory_order_relaxed) != 0) {
    ++blocks_without_cache;
    return nullptr;
  }
  return Attach();
}

ThreadCache* ThreadCache::Attach() {
  // First: blocks served without a cache are marked with it too.
  if constexpr (kMarksFreed) Secret::Choose();
  if (life != Life::kNotBegun) return nullptr;
  // The calls below may allocate; they are served without a cache.
  life = Life::kBeginning;
  // Before any lock.
  ThreadBegins();
  BeginProcess();
  CollectEndedThreadsIfMany();
  ThreadCache* cache = TakeParked();
  if (cache == nullptr) cache = MakeCache();
  if (cache == nullptr) {
    life = Life::kNotBegun;
    return nullptr;
  }
  own_ = cache;
  cache->UpdateReserve();
  cache->ShowBins();
  life = Life::kRunning;
  if (IsThreadOfThisLibrary()) WatchThreadExit(cache);
  return cache;
}

// A new cache, in the list. Null when the OS refuses memory.
ThreadCache* ThreadCache::MakeCache() {
  ThreadCache* cache = cache_pool.Get();
  LinkedBackend::Heap* heap =
      cache == nullptr ? nullptr : LinkedBackend::Attach();
  if (heap == nullptr) {
    if (cache != nullptr) cache_pool.Put(cache);
    return nullptr;
  }
  if (count_.load(std::memory_order_relaxed) != 0) {
    LinkedBackend::StartBesideOthers(heap);
  }
  cache->heap_ = heap;
  cache->sampling_.store(0, std::memory_order_relaxed);
  cache->is_parked_ = false;
  cache->keeps_reserve_.store(false, std::memory_order_relaxed);
  cache->reserve_mark_.Begin();
  cache->flushed_in_ = flushes.load(std::memory_order_relaxed);
  cache->span_cache_.Begin();
  cache->mid_limit_bytes_ = 0;
  cache->mid_budget_ = cache->span_cache_.budget();
  cache->bins_.window =
      Pagemap::PlaceWindow(reinterpret_cast<uintptr_t>(cache));
  cache->bins_.checks = BinChecks::Make();
  cache->HideFromMalloc();
  cache->UseOptions();
  for (size_t c = 0; c < kClassCount; ++c) {
    // The null below the first slot is there: the memory was zeros and nothing
    // writes to it. Writing it would make all pages of slots resident.
    const uint32_t first = FirstOffset(c);
    cache->bins_.bins[c].SetTop(first);
    cache->ration_.bins[c].SetTop(RationBins::FirstOffset(c));
    cache->states_[c].limit = first;
    cache->bins_.bins[c].SetLimit(first);
    cache->SetLimit(c, cache->FirstSlots(c));
    cache->states_[c].was_active = false;
    cache->states_[c].last = Bound::kFull;
    cache->states_[c].repeats = 0;
  }
  cache->BeginForThisThread();
  MutexLock lock(caches_mutex);
  caches.PushBack(cache);
  count_.fetch_add(1, std::memory_order_relaxed);
  return cache;
}

// Hints, without the lock.
size_t ThreadCache::ListedCaches() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  return count_.load(std::memory_order_relaxed) + parked.count();
}

// The cache parked last, or null.
ThreadCache* ThreadCache::TakeParked() {
  MutexLock lock(caches_mutex);
  ThreadCache* cache = parked.newest();
  if (cache == nullptr) return nullptr;
  parked.Remove(cache);
  cache->is_parked_ = false;
  if (!cache->HasTheseOptions()) cache->UseOptions();
  cache->BeginForThisThread();
  count_.fetch_add(1, std::memory_order_relaxed);
  cache->SetMostVisible();
  return cache;
}

void ThreadCache::BeginForThisThread() {
  thread_ = ThreadId();
  tables_ = &thread_tables;
  calls_ = 0;
  epoch_begun_ = CoarseMilliseconds();
  has_tidied_ = false;
  last_every_call_ = epoch_begun_;
  fresh_chunks_seen_ = ChunkSource::FreshChunks();
  dirty_seen_ = 0;
  watch_.store(Watch::kNone, std::memory_order_relaxed);
  is_poll_requested_.store(false, std::memory_order_relaxed);
  has_poll_request_ = false;
  slow_calls_ = 0;
  // While it is alone nobody could take what it holds.
  is_busy_ = BeginsBusy(count_.load(std::memory_order_relaxed));
  seen_at_.store(epoch_begun_, std::memory_order_relaxed);
}

// Parks an ended thread's cache. False if enough are, or nothing is to be kept.
bool ThreadCache::Park() {
  if (kQuarantinesFreed || options::Get(options::k_decay) == 0) return false;
  Ace::TrimBins(span_cache_, /*all=*/true);
  TakeBackVisible();
  // Blocks of the heap, which is parked as well, would serve nobody else.
  if (LinkedBackend::kSharesFreeBlocks) TrimToBatches();
  // From here on others reach all that it holds.
  if (!KeepsReserve()) BeginReserve();
  MutexLock lock(caches_mutex);
  if (parked.IsFull()) return false;
  is_parked_ = true;
  parked.Add(this);
  count_.fetch_sub(1, std::memory_order_relaxed);
  seen_at_.store(CoarseMilliseconds(), std::memory_order_relaxed);
  return true;
}

// Ends an empty cache. The caller holds the lock of the list.
void ThreadCache::Retire(ThreadCache* cache) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  caches.Remove(cache);
  if (cache->is_parked_) {
    parked.Remove(cache);
  } else {
    count_.fetch_sub(1, std::memory_order_relaxed);
  }
  cache->reserve_mark_.BeginEmptying(reserves_in_use_);
  LinkedBackend::Detach(cache->heap_);
  cache_pool.Put(cache);
}

void ThreadCache::OnThreadExit(void* state) {
  if (FallbackHeap::IsInEmergency()) return;
  auto* cache = static_cast<ThreadCache*>(state);
  // From here on late frees of this thread use no cache.
  thread_tables.store(NoTables(), std::memory_order_relaxed);
  cache->ReturnRation();
  cache->watch_.store(Watch::kNone, std::memory_order_relaxed);
  own_ = nullptr;
  life = Life::kEnded;
  if (!cache->Park()) {
    cache->FlushAll();
    MutexLock lock(caches_mutex);
    Retire(cache);
  }
  // The memory it freed waits to be purged, and it will not look any more.
  RequestPollFromOthers(CoarseMilliseconds(), HowOften::kNow);
  LowerCachesToScan();
  retry_gate.Open();
  ThreadEnds();
}

void ThreadCache::LeaveForEmergency() {
  thread_tables.store(NoTables(), std::memory_order_relaxed);
  own_ = nullptr;
  life = Life::kEnded;
  FallbackHeap::BeginEmergency();
}

void ThreadCache::CollectEndedThreads() {
  // In a fork handler, possibly in the child: bins of lost threads may have
  // been caught half moved (AbandonOtherThreads).
  if (HoldsEveryLock()) return;
  MutexLock lock(caches_mutex);
  for (ThreadCache *cache = caches.front(), *next; cache != nullptr;
       cache = next) {
    next = caches.Next(cache);
    if (cache == own_ || cache->is_parked_ || !ThreadHasEnded(cache->thread_)) {
      continue;
    }
    cache->FlushAll();
    Retire(cache);
  }
}

void ThreadCache::CollectEndedThreadsIfMany() {
  const size_t count = count_.load(std::memory_order_relaxed);
  size_t to_look = caches_to_scan.load(std::memory_order_relaxed);
  // Of the threads that find a look due, one does it.
  if (count < to_look ||
      !caches_to_scan.compare_exchange_strong(to_look, CachesToLookAfter(count),
                                              std::memory_order_relaxed)) {
    return;
  }
  CollectEndedThreads();
  LowerCachesToScan();
}

// Brings the next look forward to when there are twice as many caches as now.
void ThreadCache::LowerCachesToScan() {
  const size_t to_look =
      CachesToLookAfter(count_.load(std::memory_order_relaxed));
  if (to_look < caches_to_scan.load(std::memory_order_relaxed)) {
    caches_to_scan.store(to_look, std::memory_order_relaxed);
  }
}

// --- All threads -------------------------------------------------------------

void ThreadCache::DisableFastPathOnAllThreads() {
  // The thread-local memory of an ended thread may be reused or unmapped.
  CollectEndedThreads();
  HideBinsOfAll(NoTables(), [](auto&& hide) {
    MutexLock lock(caches_mutex);
    for (ThreadCache* cache = caches.front(); cache != nullptr;
         cache = caches.Next(cache)) {
      if (!cache->is_parked_) hide(*cache->tables_);
    }
  });
}

// Asks some of the threads, others at each call; seldom, or now. Early again
// when much more was freed since: those asked before saw little of it.
void ThreadCache::RequestPollFromOthers(uint64_t now, HowOften how_often) {
  const size_t dirty = DirtyBytes::Bytes();
  const bool is_much = IsWorthRationing(dirty);
  const bool are_many =
      reserves_in_use_.load(std::memory_order_relaxed) >= kManyReserves;
  const size_t count = count_.load(std::memory_order_relaxed);
  if (count < 2 || !(is_much || are_many)) return;
  // relaxed: it only elects one of the threads that find it due; it publishes
  // nothing.
  uint64_t due = next_request_to_look.load(std::memory_order_relaxed);
  const bool is_due =
      now >= due || (is_much && dirty > 2 * dirty_at_request_to_look.load(
                                                std::memory_order_relaxed));
  const uint64_t wait = is_much ? kAskOthersEveryMs
                                : kAskEachEveryMs * kMaxAskedAtOnce /
                                      std::max<size_t>(count, kMaxAskedAtOnce);
  if (how_often == HowOften::kSeldom &&
      (!is_due || !next_request_to_look.compare_exchange_strong(
                      due, now + wait, std::memory_order_relaxed))) {
    return;
  }
  dirty_at_request_to_look.store(dirty, std::memory_order_relaxed);
  MutexLock lock(caches_mutex);
  for (int i = 0; i < kMaxAskedAtOnce && !caches.empty(); ++i) {
    ThreadCache* cache = caches.PopFront();
    caches.PushBack(cache);
    if (cache != own_ && !cache->is_parked_) cache->RequestPoll();
  }
}

ThreadCache::Totals ThreadCache::SumAll() {
  Totals totals;
  MutexLock lock(caches_mutex);
  for (ThreadCache* cache = caches.front(); cache != nullptr;
       cache = caches.Next(cache)) {
    if (!cache->is_parked_) ++totals.threads;
    for (size_t c = 1; c < kClassCount; ++c) {
      const SizeClass size_class = ClassNumber(c);
      (IsMid(size_class) ? totals.mid_cached : totals.tiny_cached) +=
          uint64_t{cache->HeldInAll(c)} * ClassBytes(size_class);
    }
    totals.tiny_cached += cache->quarantine_.tiny_bytes();
    totals.mid_cached += cache->quarantine_.mid_bytes();
    totals.spans_cached += cache->span_cache_.held_bytes();
    totals.span_classes += cache->span_cache_.classes();
  }
  totals.tiny_cached += Shelves::Bytes();
  return totals;
}

void ThreadCache::AddCachedBlocks(uint64_t (&blocks)[kClassCount]) {
  Shelves::AddBlocks(blocks);
  MutexLock lock(caches_mutex);
  for (ThreadCache* cache = caches.front(); cache != nullptr;
       cache = caches.Next(cache)) {
    for (size_t c = 1; c < kClassCount; ++c) blocks[c] += cache->HeldInAll(c);
  }
}

void ThreadCache::VisitCaches(void (*visit)(uint32_t thread,
                                            uint64_t cached_bytes,
                                            void* argument),
                              void* argument) {
  MutexLock lock(caches_mutex);
  for (ThreadCache* cache = caches.front(); cache != nullptr;
       cache = caches.Next(cache)) {
    uint64_t bytes = cache->quarantine_.tiny_bytes() +
                     cache->quarantine_.mid_bytes() +
                     cache->span_cache_.held_bytes();
    for (size_t c = 1; c < kClassCount; ++c) {
      bytes += uint64_t{cache->HeldInAll(c)} * ClassBytes(ClassNumber(c));
    }
    visit(cache->is_parked_ ? 0 : cache->thread_, bytes, argument);
  }
}

// The lock of the list is released between two caches: others begin, end, and
// rotate the list meanwhile. Its order stays, and new threads join at its end
// with the number of the latest flush. So all were visited once as many caches
// in a row as the list has were flushed in this pass or a later one.
void ThreadCache::FlushReserves() {
  if (HoldsEveryLock()) return;
  Shelves::Flush();
  const uint32_t number = flushes.fetch_add(1, std::memory_order_relaxed) + 1;
  for (size_t in_a_row = 0; in_a_row <= ListedCaches();) {
    MutexLock lock(caches_mutex);
    if (caches.empty()) return;
    ThreadCache* cache = caches.PopFront();
    caches.PushBack(cache);
    if (static_cast<int32_t>(cache->flushed_in_ - number) >= 0) {
      ++in_a_row;
      continue;
    }
    in_a_row = 0;
    cache->flushed_in_ = number;
    if (cache != own_) cache->FlushByOtherThread();
    if (cache->is_parked_) Retire(cache);
  }
}

bool ThreadCache::FlushIdleReserves(uint64_t now, PurgeBudget* budget) {
  if (HoldsEveryLock()) return false;
  Shelves::Age(now);
  const uint64_t decay = options::Get(options::k_decay);
  const size_t most = std::min(kMaxScannedForIdle, ListedCaches());
  bool is_any = false;
  for (size_t i = 0; i < most; ++i) {
    MutexLock lock(caches_mutex);
    if (caches.empty()) break;
    ThreadCache* cache = caches.PopFront();
    caches.PushBack(cache);
    const uint64_t seen_at = cache->seen_at_.load(std::memory_order_relaxed);
    // A parked cache that nobody took for an epoch is not needed.
    const uint64_t most_idle = cache->is_parked_ ? decay / 4 : decay;
    if (cache == own_ || now <= seen_at + most_idle) continue;
    const bool has_flushed = cache->FlushByOtherThread();
    if (cache->is_parked_) Retire(cache);
    is_any = is_any || has_flushed;
    if (has_flushed && PurgeBudget::IsSpent(budget)) break;
  }
  return is_any;
}

// --- Fork --------------------------------------------------------------------

void ThreadCache::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  caches_mutex.Lock();
  for (ThreadCache* cache = caches.front(); cache != nullptr;
       cache = caches.Next(cache)) {
    cache->quarantine_.LockForFork();
    cache->reserve_mutex_.Lock();
  }
  for (ThreadCache* cache = caches.front(); cache != nullptr;
       cache = caches.Next(cache)) {
    cache->span_cache_.LockForFork();
  }
  cache_pool.LockForFork();
  FallbackHeap::LockForFork();
}

void ThreadCache::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  FallbackHeap::UnlockAfterFork();
  cache_pool.UnlockAfterFork();
  for (ThreadCache* cache = caches.front(); cache != nullptr;
       cache = caches.Next(cache)) {
    cache->span_cache_.UnlockAfterFork();
    cache->reserve_mutex_.Unlock();
    cache->quarantine_.UnlockAfterFork();
  }
  caches_mutex.Unlock();
}

void ThreadCache::UpdateThreadId() {
  if (own_ == nullptr) return;
  own_->thread_ = ThreadId();
  // Siblings sample different blocks. A gap's rest is as long as a gap.
  if (own_->Samples()) own_->DrawGaps();
}

void ThreadCache::AbandonOtherThreads() {
  MutexLock lock(caches_mutex);
  for (ThreadCache *cache = caches.front(), *next; cache != nullptr;
       cache = next) {
    next = caches.Next(cache);
    if (cache == own_) continue;
    // All locks were held across the fork, so the reserve is whole.
    cache->FlushByOtherThread();
    Retire(cache);
  }
  Shelves::AbandonOtherThreads();
  const bool is_in_use = own_ != nullptr && !own_->reserve_mark_.IsEmpty();
  reserves_in_use_.store(is_in_use ? 1 : 0, std::memory_order_relaxed);
}

// --- Verification ------------------------------------------------------------

void ThreadCache::VerifyInvariants(HeapVerifier& check)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  CheckCaches(caches, check);
  size_t count = 0;
  for (ThreadCache* cache = caches.front(); cache != nullptr;
       cache = caches.Next(cache)) {
    LinkedBackend::NoteHolder(check, cache->heap_);
    ++count;
  }
  FallbackHeap::NoteHolder(check);
  check.RequireEqual(ListedCaches(), count, "wrong count of thread caches");
  count = 0;
  for (const ThreadCache* cache = parked.newest();
       cache != nullptr && count <= parked.count(); cache = cache->pool_next) {
    check.Require(cache->is_parked_ && cache->KeepsReserve(),
                  "a parked cache does not know it",
                  reinterpret_cast<uintptr_t>(cache));
    ++count;
  }
  check.RequireEqual(parked.count(), count, "wrong count of parked caches");
  cache_pool.VerifyInvariants(
      check, [](const ThreadCache* free) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        ThreadCache* cache = caches.front();
        while (cache != nullptr && cache != free) cache = caches.Next(cache);
        return cache != nullptr;
      });
}

}  // namespace hakmem
