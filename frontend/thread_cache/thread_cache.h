// The thread cache: a thread's bins, and all that happens when a bin cannot
// serve a call: refill, drain, adaptive limits, decay, the thread's beginning
// and end.
//
// Limits adapt. A bin starts small; each time it runs empty or full its limit
// doubles, up to the option bin_bytes; those of mid classes together up to a
// budget that follows what is in use. A bin that only ever runs full, in a
// thread that frees what others allocate, stays small: nobody will request what
// it holds; it passes its batches on (shelves.h). A bin that was neither empty
// nor full during an epoch, a quarter of the decay time, returns half of its
// blocks and halves its limit. With
// --//ace=fixed each limit stays at the geometric mean of least and most.
//
// Watching the clock. Freed memory must go back to the OS after the decay time,
// and there is no background thread. But a thread whose bins serve every call
// never takes a slow path. So while free memory is resident, a cache sends some
// or all calls to the slow path, in one of two ways (Watch,
// thread_cache_watch.cc):
//
//   every call   The thread's tables are kEmptyBins: each malloc and free comes
//                here, is served from the same bins, and looks at the clock. A
//                thread with little to do watches like this until the memory is
//                purged.
//   rationed     Many calls within one tick of the clock show that the thread
//                is busy. malloc pops from a small table that is filled with a
//                few blocks of a class at a time; free pushes to the bins, with
//                limits a little above what they hold. So at least one malloc
//                in sixteen of a class comes here, and one free in sixteen that
//                makes its bin fuller. When the thread is less busy again, it
//                goes back to watching every call.
//
// So a thread always served by its bins still looks at the clock, at no cost to
// malloc and free. A thread that watches asks others to look as well
// (RequestPollFromOthers), for they may be the only ones that will make calls.
//
// Sampling. While blocks are sampled (frontend/sampling/sampling.h), malloc
// always pops from such a small table, sampled_, which gets at most as many
// blocks of a class as are left until that class's next sample. So the fast
// path counts nothing.
//
// The reserve. Only the owner may touch bins that malloc and free use: it may
// be in the middle of a pop or push at any time, even asleep, and neither
// announces that. So a waiting thread would keep what its bins hold. Therefore
// a thread that has not shown that it is busy, or one of many threads, uses its
// bins_ as a reserve: only slow paths use it, under a lock, and other threads
// empty it when the owner has not been seen for the decay time, or when memory
// is collected. malloc and free then use visible_, a small table filled from
// the reserve a few blocks at a time (thread_cache_reserve.cc).
//
// Parked caches. The cache of a thread that ends is kept with its heap and its
// blocks (where free blocks are shared: a batch of each class) for the next
// thread that begins: a program that starts a thread per task would otherwise
// return the same blocks and fetch them again each time. What a parked cache
// holds is a reserve, so that collecting, statistics and fork reach it like any
// other; housekeeping ends one that nobody took for an epoch.
//
// False sharing. Two threads that write to blocks in one cache line slow one
// another down. So what a thread frees of a class below a line's length is not
// for its own malloc as long as it has allocated none itself: the size leads
// malloc to no bin, and its first request returns what the bin holds to the
// threads that allocated it (the idea is jemalloc's and snmalloc's).
//
// A thread that has ended (late destructors), or for which the OS refuses a
// cache, is served without one, under a lock; a thread on which the process is
// being aborted, for a bad free, without locks (fallback_heap.h).
//
// Implemented in seven files: thread_cache.cc (bin misses),
// thread_cache_reserve.cc (the reserve), thread_cache_ration.cc (rations and
// samples), thread_cache_life.cc (threads begin and end; fork),
// thread_cache_time.cc and thread_cache_watch.cc (the clock) and
// thread_cache_check.cc (verification).
#ifndef HAKMEM_FRONTEND_THREAD_CACHE_THREAD_CACHE_H_
#define HAKMEM_FRONTEND_THREAD_CACHE_THREAD_CACHE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "ace/ace.h"
#include "ace/thread_span_cache.h"
#include "backend/backend.h"
#include "base/intrusive_list.h"
#include "base/size_classes.h"
#include "base/sync/lock.h"
#include "frontend/sampling/sampling.h"
#include "frontend/thread_cache/bins.h"
#include "frontend/thread_cache/quarantine.h"
#include "frontend/thread_cache/reserve_mark.h"
#include "linked_backend.h"
#include "tracing/events/events.h"

namespace hakmem {

class HeapVerifier;
class PurgeBudget;

class ThreadCache : public ListNode<ThreadCache> {
 public:
  ThreadCache* pool_next;  // for MetadataAllocator, and while it is parked

  // Serves a request of class `c` that thread_tables could not. Null when the
  // OS refuses memory.
  static void* Allocate(SizeClass c);

  // While blocks are sampled: serves a request of `bytes`, at the default
  // alignment, that thread_tables could not, if that takes no more than another
  // ration from this thread's bin. Else null, and nothing has happened.
  static void* AllocateNextRation(size_t bytes);

  // Takes a block of class `c`, not kNone, that the bins did not take.
  static void Free(SizeClass c, void* block);

  // Spans, through this thread's span bins, and large blocks: see Ace.
  static SpanAllocation AllocateSpan(size_t bytes, size_t alignment);
  static SpanAllocation AllocateLarge(size_t bytes, size_t alignment,
                                      Ace::Contents contents);
  static void FreeSpanOrLarge(PagemapEntry entry);
  static Ace::Resized ResizeSpanOrLarge(PagemapEntry entry, size_t bytes);

  // Returns all blocks in this thread's bins to where they came from.
  static void FlushThisThread();

  // Whether FlushThisThread would return anything.
  static bool ThisThreadHoldsBlocks();

  // Applies options that were read after this thread's cache began.
  static void ApplyOptions();

  // Whether every malloc and free must come here: while events are on
  // (tracing/events/events.h).
  static bool SeesEveryCall() { return EventsOn(); }

  // For whom the block of class `c` that thread_tables could not serve is to be
  // sampled. If for anybody, draws when the next one is. Call it while blocks
  // are sampled.
  static Sampling::Due DueSample(SizeClass c);

  // Makes every thread choose its tables anew; call it after a change of
  // SeesEveryCall, or of whether blocks are sampled.
  static void DisableFastPathOnAllThreads();

  struct Totals {
    uint64_t threads = 0;
    uint64_t tiny_cached = 0;  // bytes in bins, as below
    uint64_t mid_cached = 0;
    uint64_t spans_cached = 0;
    uint64_t span_classes = 0;  // span lengths cached, summed over threads
  };
  static Totals SumAll();

  // Adds the blocks in all threads' bins, and on shelves, to `blocks`, by
  // class.
  static void AddCachedBlocks(uint64_t (&blocks)[kClassCount]);

  // Calls visit(thread, cached bytes, argument) for each cache; `thread` is 0
  // for a parked one. It must not call the allocator.
  static void VisitCaches(void (*visit)(uint32_t thread, uint64_t cached_bytes,
                                        void* argument),
                          void* argument);

  // Collects the caches of threads that ended without a callback: their first
  // call came in pthread's last round of destructors, or they left by a plain
  // system call, or the process had no key for them.
  static void CollectEndedThreads();

  // Flushes the reserves of other threads: all of them, or those of threads not
  // in the allocator for the decay time before `now`, within `budget` and some
  // threads per call; returns whether it flushed any. Waits for no thread: one
  // that is changing its reserve is not idle.
  static void FlushReserves();
  static bool FlushIdleReserves(uint64_t now, PurgeBudget* budget);

  // Called at the end of a thread that has the cache.
  static void OnThreadExit(void* cache);

  // The calling thread abandons its cache for good and is served from emergency
  // memory (backend/errors/emergency.h). What it frees is dropped.
  static void LeaveForEmergency();

  static void LockForFork();
  static void UnlockAfterFork();
  // In the child of every fork: updates the thread's id. Takes no lock.
  static void UpdateThreadId();
  // In the child of a fork, where the other threads are gone: their heaps go to
  // future threads, and what their reserves hold is returned. The blocks in the
  // bins that malloc and free used, at most a few hundred KiB each, are lost,
  // since a bin may have been caught half moved.
  static void AbandonOtherThreads();

  // Verifies all threads' bins (backend/verify/heap_verifier.h), and reports
  // each heap held by a thread to the back-end. The caller holds the locks, as
  // for fork, and no other thread is in the allocator.
  [[gnu::cold]] static void VerifyInvariants(HeapVerifier& check);

 private:
  // A busy thread reads the clock once per this many slow calls.
  static constexpr uint32_t kCallsPerPoll = 16;
  static constexpr uint32_t kSlotBytes = sizeof(void*);

  enum class Bound : uint8_t { kEmpty, kFull };

  struct BinState {
    uint32_t most;    // slots the bin may grow to
    uint32_t limit;   // as Bin's, which another thread may set to 0
    bool was_active;  // ran empty or full in this epoch
    Bound last;       // which of the two happened last ...
    uint8_t repeats;  // ... and how often that followed itself
    bool is_hidden;   // from malloc (ShowToMalloc)
  };

  enum class Watch : uint8_t { kNone, kRationed, kEveryCall };

  static ThreadCache* OfThisThread() {
    return own_ != nullptr ? own_ : Attach();
  }
  // The same for one block: a thread's first few are served without a cache.
  static ThreadCache* OfThisThreadForBlock() {
    return own_ != nullptr ? own_ : AttachLater();
  }
  // Null when the thread has ended, is beginning, or gets no memory.
  static ThreadCache* Attach();
  static void CollectEndedThreadsIfMany();
  static void LowerCachesToScan();
  static ThreadCache* AttachLater();
  static ThreadCache* MakeCache();
  static ThreadCache* TakeParked();
  void BeginForThisThread();
  bool Park();
  static void Retire(ThreadCache* cache);
  static size_t ListedCaches();

  void UseOptions();
  bool HasTheseOptions() const;
  static bool MayShareLines(SizeClass c);
  void HideFromMalloc();
  void EnterHidden(BinTable& table) const;
  void ShowToMalloc(SizeClass c);
  uint32_t FirstSlots(size_t c) const;
  uint32_t Refill(SizeClass c, void** blocks, uint32_t count);
  void Drain(SizeClass c, void** blocks, uint32_t count);
  void* AllocateHere(SizeClass c);
  uint32_t RefillBin(SizeClass c, uint32_t most);
  void* RefillAndTake(SizeClass c);
  // The Sampling::Generation that the thread samples by; 0: it does not.
  uint32_t SamplingSeen() const {
    // acquire: pairs with the release in ChooseSampling. A thread that counts
    // what another one's cache holds finds the table that it counts in set up.
    return sampling_.load(std::memory_order_acquire);
  }
  bool Samples() const { return SamplingSeen() != 0; }
  bool UsesRation() const {
    return Samples() || WatchNow() == Watch::kRationed;
  }
  void* AllocateRationed(SizeClass c);
  uint32_t NextRation();
  uint32_t MostToAllocate(SizeClass c);
  void RationFrees(SizeClass c);
  void RestoreLimits();
  void ReturnRation();
  void ChooseSampling();
  void DrawGaps();
  void PrepareTable(BinTable& table);
  void FreeHere(SizeClass c, void* block);
  void PutBack(SizeClass c, void** blocks, uint32_t count);
  void CheckInUse(SizeClass c, void* block);
  void Keep(SizeClass c, void* block);
  void KeepInBins(SizeClass c, void* block);
  bool UsesShelf(SizeClass c) const;
  bool PutOnShelf(SizeClass c, uint32_t held);
  bool Grow(SizeClass c, Bound bound);
  void DrainOldest(SizeClass c, uint32_t count);
  void FlushAll();
  void EndEpoch(uint64_t now);
  void HalveIdleBins();
  void TrimToBatches();

  // Call on every slow call: advances time for this thread. Spans and large
  // blocks always take slow paths, so for them an occasional look is enough
  // where others are rationed.
  void Tick() {
    WatchNow() == Watch::kRationed ? PollClockIfDue() : TickForSpan();
  }
  void TickForSpan() {
    if (WatchNow() == Watch::kEveryCall || ++calls_ >= kCallsPerPoll ||
        is_poll_requested_.load(std::memory_order_relaxed)) [[unlikely]] {
      PollClock();
    }
  }
  void PollClockIfDue();
  void PollClock();
  bool HasGrown() const;
  void FlushOnGrowth(uint64_t now);
  void SetBudgets();

  Watch WatchNow() const { return watch_.load(std::memory_order_relaxed); }
  bool IsQuiet(uint64_t now) const;
  void ChooseWatch(uint64_t now);
  void WatchEveryCall(uint64_t now);
  void Ration();
  void ShowBins();
  void UseTables(TablePair tables);
  static bool IsWorthRationing(size_t dirty);
  bool IsWorthWatching(size_t dirty) const;
  enum class HowOften : uint8_t { kSeldom, kNow };
  static void RequestPollFromOthers(uint64_t now, HowOften how_often);
  void RequestPoll();
  void TakeOverPollRequest();

  // The reserve, in thread_cache_reserve.cc.
  bool KeepsReserve() const {
    // relaxed: only the owner writes it; others read it under the lock, or as a
    // hint.
    return keeps_reserve_.load(std::memory_order_relaxed);
  }
  class BinsLock;
  void NoteSlowCalls();
  static bool BeginsBusy(size_t others);
  bool UpdateReserve();
  void ChooseReserve();
  void SetMostVisible();
  void BeginReserve();
  void EndReserve();
  void* AllocateWithReserve(SizeClass c);
  void* AllocateFromReserve(SizeClass c);
  void KeepInReserve(SizeClass c, void* block);
  void TakeBackVisible();
  void TakeBackVisible(SizeClass c, uint32_t count);
  uint32_t GrowVisible(SizeClass c);
  void NoteReserveUse();
  bool FlushByOtherThread();
  void FlushBinsOfReserve();
  void NoteReserved(size_t bytes);
  void BoundReserve();

  // The table that free pushes to, and malloc pops from unless it is rationed;
  // and the offset after the last of its slots that a class may use.
  BinTable& Front() {
    return KeepsReserve() ? static_cast<BinTable&>(visible_) : bins_;
  }
  uint32_t FrontLimit(size_t c) const {
    return KeepsReserve()
               ? RationBins::FirstOffset(c) + visible_slots_[c] * kSlotBytes
               : states_[c].limit;
  }

  static constexpr SizeClass ClassNumber(size_t c) {
    return SizeClass{static_cast<uint8_t>(c)};
  }
  static constexpr uint32_t FirstOffset(size_t c) {
    return internal::kBinLayout.first[c];
  }
  // Blocks of class `c` in a table whose first slot of that class ends at
  // offset `first`.
  static uint32_t HeldIn(const BinTable& table, size_t c, uint32_t first) {
    return (table.bins[c].TopForOtherThreads() - first) / kSlotBytes;
  }
  uint32_t Held(size_t c) const { return HeldIn(bins_, c, FirstOffset(c)); }
  // The table that malloc pops from while UsesRation, and the offset after its
  // first slot of a class.
  BinTable& RationTable() {
    return Samples() ? static_cast<BinTable&>(sampled_) : ration_;
  }
  uint32_t RationFirst(size_t c) const {
    return Samples() ? FirstOffset(c) : RationBins::FirstOffset(c);
  }
  uint32_t HeldInRation(size_t c) const {
    return Samples() ? HeldIn(sampled_, c, FirstOffset(c))
                     : HeldIn(ration_, c, RationBins::FirstOffset(c));
  }
  uint32_t HeldVisible(size_t c) const {
    return KeepsReserve() ? HeldIn(visible_, c, RationBins::FirstOffset(c)) : 0;
  }
  // In all tables.
  uint32_t HeldInAll(size_t c) const {
    return Held(c) + HeldInRation(c) + HeldVisible(c);
  }
  // Slots that a bin may use.
  uint32_t Limit(size_t c) const {
    return (states_[c].limit - FirstOffset(c)) / kSlotBytes;
  }
  void SetLimit(size_t c, uint32_t slots);

  // In thread_cache_check.cc.
  [[gnu::cold]] static void CheckCaches(
      const IntrusiveList<ThreadCache>& caches, HeapVerifier& check);
  [[gnu::cold]] void CheckBin(size_t c, HeapVerifier& check) const;
  template <typename Visit>
  void VisitSmallTables(size_t c, Visit&& visit) const;
  [[gnu::cold]] void CheckOwnMetadata(HeapVerifier& check) const;

  // This thread's cache, or null.
  static constinit thread_local ThreadCache* own_;
  // How many threads have one. relaxed: a hint.
  static constinit std::atomic<size_t> count_;
  // How many of them have a reserve that is not marked empty. relaxed: a hint.
  static constinit std::atomic<size_t> reserves_in_use_;

  // Fields that every thread uses come first, so that a thread that allocates
  // little keeps few pages of it resident.
  uint64_t bin_bytes_;  // the options that it uses
  uint64_t waste_percent_;
  size_t mid_limit_bytes_;  // limits of all mid bins together ...
  size_t mid_budget_;       // ... and how far they may grow
  LinkedBackend::Heap* heap_;
  ThreadTables* tables_;        // the thread's thread_tables
  uint64_t epoch_begun_;        // CoarseMilliseconds, as below
  uint64_t last_every_call_;    // when Watch::kEveryCall last began
  uint64_t fresh_chunks_seen_;  // ChunkSource::FreshChunks at the last look
  size_t dirty_seen_;           // DirtyBytes::Bytes at the last look
  uint64_t current_tick_;       // while watching: when calls_in_tick_ began
  uint32_t calls_in_tick_;
  uint32_t rations_in_tick_;  // rations handed out since current_tick_
  uint32_t calls_;            // since the last look at the clock
  uint32_t thread_;           // as gettid(2)
  // relaxed, both: hints between threads.
  std::atomic<Watch> watch_;
  std::atomic<bool> is_poll_requested_;
  bool has_poll_request_;  // and has not begun to watch for it yet
  bool has_tidied_;        // the last look ended an epoch, or flushed
  // Guards bins_, except for their limits, and states_, while they are a
  // reserve. At other times they are the owner's alone, hence no annotation
  // there.
  Mutex reserve_mutex_;
  std::atomic<bool> keeps_reserve_;  // written by the owner, under the lock
  ReserveMark reserve_mark_;
  // When the owner was last seen, for others. relaxed: a hint.
  std::atomic<uint64_t> seen_at_;
  uint32_t flushed_in_;  // the last pass of FlushReserves that visited it
  uint32_t slow_calls_;  // in this epoch, approximately
  bool is_busy_;         // made many, and has not been idle since
  bool is_parked_;       // guarded by the lock of the list
  std::atomic<uint32_t> sampling_;  // written by the owner (SamplingSeen)
  uint32_t visible_bytes_;          // capacity of all visible_slots_ together
  uint32_t most_visible_bytes_;
  uint32_t most_reserved_bytes_;
  // What may be added to the reserve before its bound is checked.
  uint32_t may_reserve_bytes_;
  uint8_t visible_slots_[kClassCount];
  BinState states_[kClassCount];
  ThreadBins bins_;
  RationBins ration_;
  RationBins visible_;  // while there is a reserve
  // While blocks are sampled; not touched before. How many blocks of each class
  // to put into sampled_ until the next sample.
  uint32_t until_sample_[kClassCount];
  ThreadBins sampled_;
  ThreadSpanCache span_cache_;
  [[no_unique_address]] Quarantine quarantine_;
};

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_THREAD_CACHE_THREAD_CACHE_H_
