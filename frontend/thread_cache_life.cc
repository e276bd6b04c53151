// The beginning and end of threads' caches, the list of them all, and fork.
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "absl/base/thread_annotations.h"
#include "backend/address_map.h"
#include "backend/book_check.h"
#include "backend/chunk_source.h"
#include "backend/metadata.h"
#include "backend/metadata_check.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/thread_exit.h"
#include "frontend/bins_switch.h"
#include "frontend/housekeeping.h"
#include "frontend/thread_cache.h"
#include "frontend/without_cache.h"
#include "hardening/levels.h"
#include "hardening/secret.h"

namespace hakmem {
namespace {

enum class Life : uint8_t { kNotBegun, kBeginning, kRunning, kEnded };

constinit thread_local Life life = Life::kNotBegun;

constinit MetadataPool<ThreadCache> cache_pool;
constinit Mutex caches_mutex;
constinit IntrusiveList<ThreadCache> caches ABSL_GUARDED_BY(caches_mutex);

// The process that the ids of threads are of. One that was made by a system
// call behind the C library's back finds another's here, and judges no thread.
constinit std::atomic<pid_t> process{0};

}  // namespace

constinit thread_local ThreadCache* ThreadCache::own_ = nullptr;
constinit std::atomic<size_t> ThreadCache::count_{0};

ThreadCache* ThreadCache::Attach() {
  if (life != Life::kNotBegun) return nullptr;
  if constexpr (kMarksFreed) Secret::Choose();
  // What is called below may allocate; it is served without a cache.
  life = Life::kBeginning;
  BeginProcess(&OnThreadExit);
  ThreadCache* cache = cache_pool.Get();
  LinkedBackend::Heap* heap =
      cache == nullptr ? nullptr : LinkedBackend::Attach();
  if (heap == nullptr) {
    if (cache != nullptr) cache_pool.Put(cache);
    life = Life::kNotBegun;
    return nullptr;
  }
  if (count_.load(std::memory_order_relaxed) != 0) {
    LinkedBackend::StartBesideOthers(heap);
  }
  if (process.load(std::memory_order_relaxed) == 0) {
    // relaxed, here and below: every thread of the process stores the same.
    process.store(getpid(), std::memory_order_relaxed);
  }
  cache->thread_ = static_cast<uint32_t>(syscall(SYS_gettid));
  cache->heap_ = heap;
  cache->bins_in_use_ = &thread_bins;
  cache->calls_ = 0;
  cache->epoch_begun_ = CoarseMilliseconds();
  cache->last_hidden_ = cache->epoch_begun_;
  cache->fresh_chunks_seen_ = ChunkSource::FreshChunks();
  cache->span_bins_.Begin();
  cache->mid_limit_bytes_ = 0;
  cache->SetMostSlots();
  cache->bins_.window =
      AddressMap::PlaceWindow(reinterpret_cast<uintptr_t>(cache));
  cache->bins_.checks = BinChecks::Make();
  cache->bins_.class_of_units = internal::kClassTables.of_units;
  for (size_t c = 0; c < kClassCount; ++c) {
    const uint32_t first = FirstOffset(c);
    *cache->bins_.SlotBelow(first) = nullptr;
    cache->bins_.bins[c].SetTop(first);
    cache->bins_.bins[c].limit = first;
    cache->SetLimit(c, cache->FirstSlots(c));
    cache->states_[c].moved = false;
    cache->states_[c].last = Bound::kFull;
  }
  {
    MutexLock lock(caches_mutex);
    caches.PushBack(cache);
    count_.fetch_add(1, std::memory_order_relaxed);
  }
  own_ = cache;
  cache->ShowBins();
  life = Life::kRunning;
  WatchThreadExit(cache);
  return cache;
}

void ThreadCache::OnThreadExit(void* state) {
  if (WithoutCache::IsInEmergency()) return;
  auto* cache = static_cast<ThreadCache*>(state);
  cache->ShowBins();
  // From here on late frees of this thread do without a cache.
  thread_bins.store(kNoBins, std::memory_order_relaxed);
  own_ = nullptr;
  life = Life::kEnded;
  cache->FlushAll();
  {
    // First: a child forked after the heap is another's must not find it here.
    MutexLock lock(caches_mutex);
    caches.Remove(cache);
    count_.fetch_sub(1, std::memory_order_relaxed);
  }
  LinkedBackend::Detach(cache->heap_);
  cache_pool.Put(cache);
}

void ThreadCache::LeaveForEmergency() {
  thread_bins.store(kNoBins, std::memory_order_relaxed);
  own_ = nullptr;
  life = Life::kEnded;
  WithoutCache::BeginEmergency();
}

// Whether nothing of the cache's thread runs any more. Only the kernel's plain
// word counts: a sandbox may answer with other errors.
bool ThreadCache::HasEnded() const {
  const pid_t this_process = getpid();
  if (this_process != process.load(std::memory_order_relaxed)) return false;
  const int saved_errno = errno;
  const bool ended =
      syscall(SYS_tgkill, this_process, static_cast<pid_t>(thread_), 0) != 0 &&
      errno == ESRCH;
  errno = saved_errno;
  return ended;
}

void ThreadCache::CollectEndedThreads() {
  MutexLock lock(caches_mutex);
  for (ThreadCache *cache = caches.front(), *next; cache != nullptr;
       cache = next) {
    next = caches.Next(cache);
    if (cache == own_ || !cache->HasEnded()) continue;
    caches.Remove(cache);
    count_.fetch_sub(1, std::memory_order_relaxed);
    cache->FlushAll();
    LinkedBackend::Detach(cache->heap_);
    cache_pool.Put(cache);
  }
}

// --- All threads -------------------------------------------------------------

void ThreadCache::LeaveHotPathEverywhere() {
  // The thread-local memory of an ended thread may be another's, or unmapped.
  CollectEndedThreads();
  HideBinsOfAll(kNoBins, [](auto&& hide) {
    MutexLock lock(caches_mutex);
    for (ThreadCache* cache = caches.front(); cache != nullptr;
         cache = caches.Next(cache)) {
      hide(*cache->bins_in_use_);
    }
  });
}

ThreadCache::Totals ThreadCache::SumAll() {
  Totals totals;
  MutexLock lock(caches_mutex);
  for (ThreadCache* cache = caches.front(); cache != nullptr;
       cache = caches.Next(cache)) {
    ++totals.threads;
    for (size_t c = 1; c < kClassCount; ++c) {
      const SizeClass size_class = ClassNumber(c);
      (IsMid(size_class) ? totals.mid_cached : totals.tiny_cached) +=
          uint64_t{cache->Held(c)} * ClassBytes(size_class);
    }
    totals.tiny_cached += cache->quarantine_.tiny_bytes();
    totals.mid_cached += cache->quarantine_.mid_bytes();
    totals.spans_cached += cache->span_bins_.held_bytes();
    totals.span_classes += cache->span_bins_.classes();
  }
  return totals;
}

// --- Fork --------------------------------------------------------------------

void ThreadCache::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  caches_mutex.Lock();
  cache_pool.LockForFork();
  WithoutCache::LockForFork();
}

void ThreadCache::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  WithoutCache::UnlockAfterFork();
  cache_pool.UnlockAfterFork();
  caches_mutex.Unlock();
}

void ThreadCache::NameThisThread() {
  process.store(getpid(), std::memory_order_relaxed);
  if (own_ != nullptr) {
    own_->thread_ = static_cast<uint32_t>(syscall(SYS_gettid));
  }
}

void ThreadCache::AbandonOtherThreads() {
  MutexLock lock(caches_mutex);
  for (ThreadCache *cache = caches.front(), *next; cache != nullptr;
       cache = next) {
    next = caches.Next(cache);
    if (cache == own_) continue;
    caches.Remove(cache);
    count_.fetch_sub(1, std::memory_order_relaxed);
    LinkedBackend::Detach(cache->heap_);
    cache_pool.Put(cache);
  }
}

// --- The books ---------------------------------------------------------------

void ThreadCache::CheckBooks(BookCheck& check) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  CheckCaches(caches, check);
  size_t count = 0;
  for (ThreadCache* cache = caches.front(); cache != nullptr;
       cache = caches.Next(cache)) {
    LinkedBackend::NoteHolder(check, cache->heap_);
    ++count;
  }
  WithoutCache::NoteHolder(check);
  check.RequireEqual(count_.load(std::memory_order_relaxed), count,
                     "wrong count of thread caches");
  cache_pool.CheckBooks(
      check, [](const ThreadCache* free) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        ThreadCache* cache = caches.front();
        while (cache != nullptr && cache != free) cache = caches.Next(cache);
        return cache != nullptr;
      });
}

}  // namespace hakmem
