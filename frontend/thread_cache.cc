#include "frontend/thread_cache.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/base/thread_annotations.h"
#include "ace/ace.h"
#include "ace_mode.h"
#include "backend/address_map.h"
#include "backend/bad_free.h"
#include "backend/book_check.h"
#include "backend/chunk_source.h"
#include "backend/dirty_ledger.h"
#include "backend/emergency.h"
#include "backend/metadata.h"
#include "backend/metadata_check.h"
#include "backend/page_heap.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/options.h"
#include "base/thread_exit.h"
#include "frontend/bins_switch.h"
#include "frontend/housekeeping.h"
#include "hardening/freed_mark.h"
#include "hardening/levels.h"
#include "hardening/secret.h"
#include "tracing/counters.h"

namespace hakmem {
namespace {

constexpr uint32_t kSlotBytes = sizeof(void*);
// A bin's limit when its thread begins.
constexpr uint32_t kFirstSlots = 8;
constexpr uint32_t kFirstMidSlots = 2;
// And while it only ever runs full.
constexpr uint32_t kBatchBytes = 4096;
constexpr uint32_t kMostBatchSlots = 32;

// Bins are hidden for more free resident memory than this, so often, and until
// this many calls come within one tick of the clock.
constexpr size_t kWorthWatchingBytes = 256 << 10;
constexpr uint64_t kHideEveryMs = 100;
constexpr uint32_t kBusyCalls = 512;

enum class Life : uint8_t {
  kNotBegun,
  kBeginning,
  kRunning,
  kEnded,
  kInEmergency,
};

constinit thread_local Life life = Life::kNotBegun;
constinit thread_local ThreadCache* own_cache = nullptr;

constinit MetadataPool<ThreadCache> cache_pool;
constinit Mutex caches_mutex;
constinit IntrusiveList<ThreadCache> caches ABSL_GUARDED_BY(caches_mutex);

// Of `caches`. relaxed: a hint.
constinit std::atomic<size_t> thread_count{0};

// Serves threads without a cache.
constinit Mutex shared_mutex;
constinit LinkedBackend::Heap* shared_heap ABSL_GUARDED_BY(shared_mutex) =
    nullptr;

// The process that the ids of threads are of. One that was made by a system
// call behind the C library's back finds another's here, and judges no thread.
constinit std::atomic<pid_t> process{0};

bool AttachSharedHeap() ABSL_EXCLUSIVE_LOCKS_REQUIRED(shared_mutex) {
  if (shared_heap == nullptr) shared_heap = LinkedBackend::Attach();
  return shared_heap != nullptr;
}

void* RefillWithoutCache(SizeClass c) {
  void* block = nullptr;
  if (IsMid(c)) {
    Ace::Refill(c, &block, 1);
    return block;
  }
  MutexLock lock(shared_mutex);
  if (AttachSharedHeap()) LinkedBackend::Refill(shared_heap, c, &block, 1);
  return block;
}

void* AllocateWithoutCache(SizeClass c) {
  if (life == Life::kInEmergency) [[unlikely]] {
    // What a block of the class is aligned to.
    const size_t bytes = ClassBytes(c);
    return Emergency::Allocate(bytes, bytes & -bytes);
  }
  void* block = RefillWithoutCache(c);
  if (block != nullptr) BinTable::TakeFreed(c, block);
  return block;
}

// Aborts when `block`, whose address is in a slab of class `c`, is not a block
// in use. Its slab's lock is not held: others may change other bits of the word
// that is read here, never that of a block in use.
[[gnu::no_sanitize("thread")]] void AbortUnlessInUse(SizeClass c,
                                                     const void* block) {
  const auto address = reinterpret_cast<uintptr_t>(block);
  const Slab* slab =
      IsMid(c) ? Ace::SlabAt(address) : LinkedBackend::SlabAt(address);
  const uint32_t number = slab->BlockAt(address);
  if (number == Slab::kNotABlock || slab->IsBlockFree(number)) {
    AbortOnBadSlabFree(*slab, address);
  }
  if (FreedMark::IsOn(block)) AbortOnDoubleFree(address, slab->block_bytes);
}

void FreeWithoutCache(SizeClass c, void* block) {
  if (life == Life::kInEmergency) [[unlikely]] {
    return;
  }
  if constexpr (kMarksFreed) {
    AbortUnlessInUse(c, block);
    FreedMark::Put(block);
  }
  if (IsMid(c)) return Ace::Drain(c, &block, 1);
  MutexLock lock(shared_mutex);
  // Without memory for a heap the block goes to its owner's.
  (void)AttachSharedHeap();
  LinkedBackend::Drain(shared_heap, c, &block, 1);
}

// For a span or large block that is freed.
void ZeroIfAsked(uintptr_t address) {
  if (options::Get(options::k_zero_on_free) == 0) return;
  memset(reinterpret_cast<void*>(address), 0, Ace::BytesAt(address));
}

// What a bin may grow to that only ever runs full: enough for batches.
constexpr uint32_t SlotsForOthersBlocks(SizeClass c) {
  return IsMid(c) ? kFirstMidSlots
                  : std::clamp(kBatchBytes / ClassBytes(c), kFirstSlots,
                               kMostBatchSlots);
}

constexpr uint32_t FirstOffset(size_t c) {
  return internal::kBinLayout.first[c];
}

SizeClass ClassNumber(size_t c) { return SizeClass{static_cast<uint8_t>(c)}; }

// An epoch's length in milliseconds.
uint64_t EpochLength() { return options::Get(options::k_decay) / 4; }

}  // namespace

// --- Beginning and end -------------------------------------------------------

ThreadCache* ThreadCache::OfThisThread() {
  return own_cache != nullptr ? own_cache : Attach();
}

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
    thread_count.fetch_add(1, std::memory_order_relaxed);
  }
  own_cache = cache;
  cache->ShowBins();
  life = Life::kRunning;
  WatchThreadExit(cache);
  return cache;
}

void ThreadCache::OnThreadExit(void* state) {
  if (life == Life::kInEmergency) return;
  auto* cache = static_cast<ThreadCache*>(state);
  cache->ShowBins();
  // From here on late frees of this thread do without a cache.
  thread_bins.store(kNoBins, std::memory_order_relaxed);
  own_cache = nullptr;
  life = Life::kEnded;
  cache->FlushAll();
  {
    // First: a child forked after the heap is another's must not find it here.
    MutexLock lock(caches_mutex);
    caches.Remove(cache);
    thread_count.fetch_sub(1, std::memory_order_relaxed);
  }
  LinkedBackend::Detach(cache->heap_);
  cache_pool.Put(cache);
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
    if (cache == own_cache || !cache->HasEnded()) continue;
    caches.Remove(cache);
    thread_count.fetch_sub(1, std::memory_order_relaxed);
    cache->FlushAll();
    LinkedBackend::Detach(cache->heap_);
    cache_pool.Put(cache);
  }
}

void ThreadCache::NameThisThread() {
  process.store(getpid(), std::memory_order_relaxed);
  if (own_cache != nullptr) {
    own_cache->thread_ = static_cast<uint32_t>(syscall(SYS_gettid));
  }
}

void ThreadCache::SetMostSlots() {
  const size_t bytes = options::Get(options::k_bin_bytes);
  for (size_t c = 0; c < kClassCount; ++c) {
    states_[c].most = BinSlots(ClassNumber(c), bytes);
  }
}

// Slots that the bin of class `c` starts with. Fixed bins have halfway between
// least and most, as factors go, for good.
uint32_t ThreadCache::FirstSlots(size_t c) const {
  const uint32_t most = states_[c].most;
  const uint32_t least =
      std::min(IsMid(ClassNumber(c)) ? kFirstMidSlots : kFirstSlots, most);
  if (kAceMode != AceMode::kFixed) return least;
  uint32_t halfway = least;
  while (halfway * halfway < least * most) ++halfway;
  return halfway;
}

void ThreadCache::ApplyOptions() {
  if (own_cache != nullptr) own_cache->SetMostSlots();
}

// --- Misses ------------------------------------------------------------------

void* ThreadCache::Allocate(SizeClass c) {
  ThreadCache* cache = OfThisThread();
  return cache == nullptr ? AllocateWithoutCache(c) : cache->AllocateHere(c);
}

void ThreadCache::Free(SizeClass c, void* block) {
  ThreadCache* cache = OfThisThread();
  if (cache == nullptr) {
    FreeWithoutCache(c, block);
  } else {
    cache->FreeHere(c, block);
  }
}

uint32_t ThreadCache::Held(size_t c) const {
  return (bins_.bins[c].TopSeenFromElsewhere() - FirstOffset(c)) / kSlotBytes;
}

void* ThreadCache::AllocateHere(SizeClass c) {
  Tick();
  if (void* block = bins_.Pop(c)) return block;
  // The bin is empty: half of what it may hold comes in one batch, so that
  // there is room for frees too.
  Grow(c, Bound::kEmpty);
  Bin& bin = bins_.bins[Index(c)];
  const uint32_t first = FirstOffset(Index(c));
  const uint32_t want = std::max(Limit(Index(c)) / 2, uint32_t{1});
  const uint32_t got = Refill(c, bins_.SlotBelow(first + kSlotBytes), want);
  Count(Event::kRefill);
  Count(Event::kRefilledBlock, got);
  bin.SetTop(first + got * kSlotBytes);
  return bins_.Pop(c);
}

void ThreadCache::FreeHere(SizeClass c, void* block) {
  Tick();
  if (!kQuarantinesFreed && bins_.Push(c, block)) return;
  CheckInUse(c, block);
  quarantine_.Add(c, block, [this](SizeClass its_class, void* released) {
    Keep(its_class, released);
  });
}

// Aborts when `block` is free, as far as this build can tell.
void ThreadCache::CheckInUse(SizeClass c, void* block) {
  if constexpr (kChecksFrees) return AbortUnlessInUse(c, block);
  if (*bins_.SlotBelow(bins_.bins[Index(c)].top) == block) {
    AbortOnDoubleFree(reinterpret_cast<uintptr_t>(block), ClassBytes(c));
  }
}

// Puts a block that was in use into its bin.
void ThreadCache::Keep(SizeClass c, void* block) {
  // Where nothing is checked, a bin that does not take a block is full.
  if (kChecksFrees && bins_.PushChecked(c, block)) return;
  // The bin is full: the older half goes back.
  Grow(c, Bound::kFull);
  if (bins_.PushChecked(c, block)) return;
  DrainOldest(c, (Held(Index(c)) + 1) / 2);
  bins_.PushChecked(c, block);
}

uint32_t ThreadCache::Refill(SizeClass c, void** blocks, uint32_t count) {
  return IsMid(c) ? Ace::Refill(c, blocks, count)
                  : LinkedBackend::Refill(heap_, c, blocks, count);
}

void ThreadCache::Drain(SizeClass c, void** blocks, uint32_t count) {
  if (IsMid(c)) return Ace::Drain(c, blocks, count);
  LinkedBackend::Drain(heap_, c, blocks, count);
}

void ThreadCache::Grow(SizeClass c, Bound bound) {
  BinState& state = states_[Index(c)];
  state.moved = true;
  const bool only_full = bound == Bound::kFull && state.last == Bound::kFull;
  state.last = bound;
  if (kAceMode == AceMode::kFixed) return;
  const uint32_t slots = Limit(Index(c));
  if (only_full && slots >= SlotsForOthersBlocks(c)) return;
  SetLimit(Index(c), std::min(slots * 2, state.most));
  if (Limit(Index(c)) > slots) Count(Event::kBinGrown);
}

uint32_t ThreadCache::Limit(size_t c) const {
  return (bins_.bins[c].limit - FirstOffset(c)) / kSlotBytes;
}

void ThreadCache::SetLimit(size_t c, uint32_t slots) {
  if (IsMid(ClassNumber(c))) {
    const size_t block = ClassBytes(ClassNumber(c));
    const uint32_t before = Limit(c);
    const size_t others = mid_limit_bytes_ - before * block;
    // All mid bins together keep within the budget that span bins have too.
    if (kAceMode == AceMode::kAdaptive && slots > before &&
        others + slots * block > span_bins_.budget()) {
      return;
    }
    mid_limit_bytes_ = others + slots * block;
  }
  bins_.bins[c].limit = FirstOffset(c) + slots * kSlotBytes;
}

// Blocks at the bottom were freed longest ago and are least likely in a cache.
void ThreadCache::DrainOldest(SizeClass c, uint32_t count) {
  Bin& bin = bins_.bins[Index(c)];
  const uint32_t top = bin.top;
  void** bottom = bins_.SlotBelow(FirstOffset(Index(c)) + kSlotBytes);
  Drain(c, bottom, count);
  Count(Event::kDrain);
  Count(Event::kDrainedBlock, count);
  std::copy(bottom + count, bins_.SlotBelow(top + kSlotBytes), bottom);
  bin.SetTop(top - count * kSlotBytes);
}

void ThreadCache::FlushAll() {
  quarantine_.Flush([this](SizeClass c, void* released) { Keep(c, released); });
  for (size_t c = 1; c < kClassCount; ++c) {
    if (const uint32_t held = Held(c)) DrainOldest(ClassNumber(c), held);
  }
  Ace::TrimBins(span_bins_, /*all=*/true);
}

SpanAllocation ThreadCache::AllocateSpan(size_t bytes, size_t alignment,
                                         Ace::Contents contents) {
  ThreadCache* cache = OfThisThread();
  if (cache == nullptr) {
    if (life == Life::kInEmergency) [[unlikely]] {
      const void* piece =
          Emergency::Allocate(bytes, std::max(alignment, kPageBytes));
      return {reinterpret_cast<uintptr_t>(piece), /*is_zero=*/true};
    }
    return Ace::Allocate(bytes, alignment, contents, nullptr);
  }
  cache->Tick();
  return Ace::Allocate(bytes, alignment, contents, &cache->span_bins_);
}

void ThreadCache::FreeSpan(uintptr_t address) {
  if constexpr (kQuarantinesFreed) ZeroIfAsked(address);
  ThreadCache* cache = OfThisThread();
  if (cache == nullptr) {
    if (life == Life::kInEmergency) [[unlikely]] {
      return;
    }
    return Ace::Free(address, nullptr);
  }
  cache->Tick();
  Ace::Free(address, &cache->span_bins_);
}

uintptr_t ThreadCache::ResizeSpan(uintptr_t address, size_t bytes) {
  return IsInEmergency() ? 0 : Ace::Resize(address, bytes);
}

void ThreadCache::LeaveForEmergency() {
  thread_bins.store(kNoBins, std::memory_order_relaxed);
  own_cache = nullptr;
  life = Life::kInEmergency;
}

bool ThreadCache::IsInEmergency() { return life == Life::kInEmergency; }

void ThreadCache::FlushThisThread() {
  if (own_cache != nullptr) own_cache->FlushAll();
}

// --- Time --------------------------------------------------------------------

void ThreadCache::LookAtClock() {
  calls_ = 0;
  const uint64_t now = CoarseMilliseconds();
  RunHousekeeping(now);
  if (now - epoch_begun_ >= EpochLength()) EndEpoch(now);
  if (HasGrown()) MakeRoom(now);
  span_bins_.SetBudget(PageHeap::UsedBytes(),
                       thread_count.load(std::memory_order_relaxed));
  const bool worth_watching = DirtyLedger::Bytes() > kWorthWatchingBytes;
  if (hidden_) {
    if (now != current_tick_) {
      current_tick_ = now;
      calls_in_tick_ = 0;
    }
    if (!worth_watching || ++calls_in_tick_ > kBusyCalls) ShowBins();
  } else if (ThreadBinsNow() != &bins_ && !SeesEveryCall()) {
    ShowBins();  // events went off
  } else if (worth_watching && now - last_hidden_ >= kHideEveryMs) {
    HideBins(now);
  }
}

// Whether the process's memory has grown by a sixteenth, or a chunk, since this
// thread last made room.
bool ThreadCache::HasGrown() const {
  const uint64_t growth = ChunkSource::FreshChunks() - fresh_chunks_seen_;
  return growth > fresh_chunks_seen_ / 16;
}

// A bin's few blocks can each keep a chunk from other uses. When the heap grows
// they are given up: what a program held in its last phase makes room for the
// next one. The cost is a refill of the bins in use, seldom enough.
void ThreadCache::MakeRoom(uint64_t now) {
  if (kAceMode == AceMode::kAdaptive) {
    FlushAll();
    GatherFreeChunks(now);
    Count(Event::kRoomMade);
  }
  fresh_chunks_seen_ = ChunkSource::FreshChunks();
}

void ThreadCache::HideBins(uint64_t now) {
  hidden_ = true;
  last_hidden_ = now;
  current_tick_ = now;
  calls_in_tick_ = 0;
  thread_bins.store(kNoBins, std::memory_order_relaxed);
}

void ThreadCache::ShowBins() {
  hidden_ = false;
  ShowBinsUnless(&SeesEveryCall, thread_bins, static_cast<BinTable*>(&bins_),
                 kNoBins);
}

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

void ThreadCache::EndEpoch(uint64_t now) {
  const bool was_idle = now - epoch_begun_ >= options::Get(options::k_decay);
  epoch_begun_ = now;
  // After a long time with next to nothing to do, nothing is worth keeping.
  if (was_idle) FlushAll();
  for (size_t c = 1; c < kClassCount; ++c) {
    BinState& state = states_[c];
    if (!state.moved) {
      if (const uint32_t held = Held(c)) {
        DrainOldest(ClassNumber(c), (held + 1) / 2);
      }
      if (kAceMode != AceMode::kFixed) {
        SetLimit(c, std::max({Limit(c) / 2, FirstSlots(c), Held(c)}));
      }
    }
    state.moved = false;
  }
  Ace::TrimBins(span_bins_, /*all=*/false);
}

// --- All threads -------------------------------------------------------------

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

void ThreadCache::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  caches_mutex.Lock();
  cache_pool.LockForFork();
  shared_mutex.Lock();
}

void ThreadCache::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  shared_mutex.Unlock();
  cache_pool.UnlockAfterFork();
  caches_mutex.Unlock();
}

void ThreadCache::AbandonOtherThreads() {
  MutexLock lock(caches_mutex);
  for (ThreadCache *cache = caches.front(), *next; cache != nullptr;
       cache = next) {
    next = caches.Next(cache);
    if (cache == own_cache) continue;
    caches.Remove(cache);
    thread_count.fetch_sub(1, std::memory_order_relaxed);
    LinkedBackend::Detach(cache->heap_);
    cache_pool.Put(cache);
  }
}

void ThreadCache::CheckBooks(BookCheck& check) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  CheckCaches(caches, check);
  size_t count = 0;
  for (ThreadCache* cache = caches.front(); cache != nullptr;
       cache = caches.Next(cache)) {
    LinkedBackend::NoteHolder(check, cache->heap_);
    ++count;
  }
  if (shared_heap != nullptr) LinkedBackend::NoteHolder(check, shared_heap);
  check.RequireEqual(thread_count.load(std::memory_order_relaxed), count,
                     "wrong count of thread caches");
  cache_pool.CheckBooks(
      check, [](const ThreadCache* free) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        ThreadCache* cache = caches.front();
        while (cache != nullptr && cache != free) cache = caches.Next(cache);
        return cache != nullptr;
      });
}

}  // namespace hakmem
