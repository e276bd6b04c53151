// Bins: the free blocks a thread holds, one stack of addresses per size class.
//
//   ThreadBins   │ bin 0 │ bin 1 │ … │ bin 72 │ slots of 1 │ slots of 2 │ …
//   a bin                top ───────────────┐
//   its slots    │ null │ block │ block │ block │       │       │
//                   ▲ bottom                    ▲ top           ▲ limit
//
// In hardened builds blocks in bins are marked, and bins take only starts of
// blocks that are not marked (bin_checks.h).
//
// Addresses lie in arrays, apart from the blocks: a malloc or free that a bin
// serves does not touch the block (jemalloc's cache_bin, tcmalloc's per-CPU
// slabs). top and limit are byte offsets from the start of ThreadBins, so that
// one constant table of empty bins, kEmptyBins, serves every rare state: there
// each pop finds the null at the bottom and each push the limit. So first use,
// an ended thread, and watching the clock (thread_cache.h) cost the hot path
// nothing. Bin 0, the class of all addresses outside slabs, is always empty and
// at its limit. The main thread has kEmptyBins even before its thread-local
// variables are initialised (bins_at_relocation.cc).
#ifndef HAKMEM_FRONTEND_THREAD_CACHE_BINS_H_
#define HAKMEM_FRONTEND_THREAD_CACHE_BINS_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "backend/memory/pagemap.h"
#include "base/codegen.h"
#include "base/size_classes.h"
#include "frontend/thread_cache/bin_checks.h"

namespace hakmem {

struct Bin {
  // Offset of the first unused slot. Only the owner accesses it, except that
  // other threads read it for statistics.
  uint32_t top;
  // Offset after the last slot that may be used. Another thread may set it to
  // 0, so that the owner's next free takes the slow path
  // (ThreadCache::RequestPoll); either value is valid.
  uint32_t limit;

  // relaxed, all: a number that orders nothing.
  void SetTop(size_t offset) {
    std::atomic_ref<uint32_t>(top).store(static_cast<uint32_t>(offset),
                                         std::memory_order_relaxed);
  }
  void SetLimit(size_t offset) {
    std::atomic_ref<uint32_t>(limit).store(static_cast<uint32_t>(offset),
                                           std::memory_order_relaxed);
  }
  uint32_t TopForOtherThreads() const {
    return std::atomic_ref<uint32_t>(const_cast<uint32_t&>(top))
        .load(std::memory_order_relaxed);
  }
};

inline constexpr size_t kMaxBinBytes = 32768;
inline constexpr size_t kMinBinSlots = 8;
inline constexpr size_t kMaxBinSlots = 128;
// A mid bin may hold more bytes than a tiny one: with few slots, the number of
// blocks in use keeps swinging beyond what the bin absorbs. What all of them
// may hold is bounded by what is in use (ThreadCache::SetBudgets).
inline constexpr size_t kMidBinFactor = 32;
inline constexpr size_t kMinMidBinSlots = 2;
inline constexpr size_t kMaxMidBinSlots = 32;

// The most blocks of a class that a bin can hold within `bytes`, for a mid
// class kMidBinFactor times that, and within the maximum of any bin.
constexpr uint32_t BinSlots(SizeClass c, size_t bytes = kMaxBinBytes) {
  const size_t block = ClassBytes(c);
  if (block == 0) return 0;
  bytes = std::min(bytes, kMaxBinBytes);
  const size_t slots =
      IsMid(c) ? std::clamp(bytes * kMidBinFactor / block, kMinMidBinSlots,
                            kMaxMidBinSlots)
               : std::clamp(bytes / block, kMinBinSlots, kMaxBinSlots);
  return static_cast<uint32_t>(slots);
}

// The most slots of a tiny bin that only ever runs full: enough for batches.
inline constexpr size_t kBatchBytes = 4096;
inline constexpr size_t kMaxBatchSlots = 32;

// The same for a bin of any class.
constexpr uint32_t BatchSlots(SizeClass c) {
  return static_cast<uint32_t>(IsMid(c)
                                   ? kMinMidBinSlots
                                   : std::clamp(kBatchBytes / ClassBytes(c),
                                                kMinBinSlots, kMaxBatchSlots));
}

// The bins, which find their slots by offset. The owner of a table lays out
// what follows it in memory: ThreadBins or NoBins.
struct alignas(void*) BinTable {
  Bin bins[kClassCount];
  Pagemap::Window window;  // the pagemap's, or none
  [[no_unique_address]] BinChecks checks;
  // A copy of ClassOf's table, at a fixed offset from this one; without the
  // sizes that ACE may not round up to a class.
  ClassOfUnits class_of_units;

  // Pops the top block of the bin of `c`; null when the bin is empty.
  void* Pop(SizeClass c) {
    size_t index = Index(c);
    HideFromOptimizer(index);
    size_t top = bins[index].top;
    HideFromOptimizer(top);
    void* block = *SlotBelow(top);
    if (block != nullptr) [[likely]] {
      bins[index].SetTop(top - sizeof(void*));
      checks.Unmark(block);
    }
    return block;
  }

  // The same for the class of a request of `bytes`, at most kMaxMidBytes.
  void* PopBytes(size_t bytes) {
    return Pop(SizeClass{class_of_units[UnitsOf(bytes)]});
  }

  // Pushes `block` onto the bin of `c`. Returns false, and does nothing, when
  // the bin is at its limit or `block` is on top of it already or, in hardened
  // builds, does not look like a block in use.
  bool Push(SizeClass c, void* block) {
    return PushWithin(RacyLoad(bins[Index(c)].limit), c, block);
  }

  // The same with the caller's limit.
  bool PushWithin(uint32_t limit, SizeClass c, void* block) {
    return PushIf(limit, c, block, [&](const void* last) {
      return checks.MayBeInUse(c, block, last);
    });
  }

  // The same for a block known to be in use.
  bool PushChecked(uint32_t limit, SizeClass c, void* block) {
    return PushIf(limit, c, block, [](const void*) { return true; });
  }

  // The slot that ends at offset `top`.
  void** SlotBelow(size_t top) {
    return reinterpret_cast<void**>(reinterpret_cast<char*>(this) + top -
                                    sizeof(void*));
  }

 private:
  template <typename Condition>
  bool PushIf(uint32_t limit, SizeClass c, void* block, Condition&& condition) {
    Bin& bin = bins[Index(c)];
    const uint32_t offset = bin.top;
    size_t top = offset;
    if (offset >= limit || !condition(*SlotBelow(top))) [[unlikely]] {
      return false;
    }
    checks.Mark(block);
    *SlotBelow(top + sizeof(void*)) = block;
    HideFromOptimizer(top);
    bin.SetTop(top + sizeof(void*));
    return true;
  }
};

namespace internal {

struct BinLayout {
  std::array<uint32_t, kClassCount> first{};  // offset of the first slot
  size_t slot_count = 0;                      // with a null below each first
};

constexpr BinLayout MakeBinLayout() {
  BinLayout layout;
  size_t slot = 0;
  for (size_t c = 0; c < kClassCount; ++c) {
    layout.first[c] =
        static_cast<uint32_t>(sizeof(BinTable) + (slot + 1) * sizeof(void*));
    slot += 1 + BinSlots(SizeClass{static_cast<uint8_t>(c)});
  }
  layout.slot_count = slot;
  return layout;
}

inline constexpr BinLayout kBinLayout = MakeBinLayout();

}  // namespace internal

struct ThreadBins : BinTable {
  void* slots[internal::kBinLayout.slot_count];
};

// A small table: the few blocks of each class that malloc may pop before it
// takes the slow path.
struct RationBins : BinTable {
  static constexpr uint32_t kMaxBlocks = 16;

  void* slots[kClassCount][1 + kMaxBlocks];  // a null, then the blocks

  static constexpr uint32_t FirstOffset(size_t c) {
    return static_cast<uint32_t>(sizeof(BinTable) + sizeof(void*) +
                                 c * sizeof(slots[0]));
  }
};

static_assert(sizeof(ThreadBins) ==
              sizeof(BinTable) +
                  internal::kBinLayout.slot_count * sizeof(void*));

// The bins of a thread without a cache: all empty and at their limit. Never
// written to: nothing pushes beyond a limit or pops below a bottom.
extern BinTable* const kEmptyBins;

// The two tables that a thread's malloc and free use. They are the same table,
// its cache's or kEmptyBins, unless the cache rations how many blocks malloc
// may take without a look at the clock (thread_cache.h).
struct TablePair {
  BinTable* pop;
  BinTable* push;
};

// A TablePair that another thread may set to kEmptyBins
// (ThreadCache::DisableFastPathOnAllThreads).
class ThreadTables {
 public:
  explicit constexpr ThreadTables(BinTable* both) : pop_(both), push_(both) {}

  // relaxed, all: every table stays valid, whichever is read, and so does any
  // combination of two.
  BinTable* ForPop() const { return pop_.load(std::memory_order_relaxed); }
  BinTable* ForPush() const { return push_.load(std::memory_order_relaxed); }
  void store(TablePair tables, std::memory_order order) {
    pop_.store(tables.pop, order);
    push_.store(tables.push, order);
  }

 private:
  std::atomic<BinTable*> pop_;
  std::atomic<BinTable*> push_;
};

extern constinit thread_local ThreadTables thread_tables;

inline TablePair NoTables() { return {kEmptyBins, kEmptyBins}; }

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_THREAD_CACHE_BINS_H_
