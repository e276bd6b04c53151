// Rations: the blocks of a class that malloc may take before its next slow
// call, because that call is to look at the clock, or to sample a block
// (thread_cache.h).
#include <algorithm>
#include <cstring>

#include "absl/base/thread_annotations.h"
#include "frontend/sampling/sampling.h"
#include "frontend/thread_cache/thread_cache.h"
#include "frontend/thread_cache/thread_cache_bins_lock.h"

namespace hakmem {
namespace {

// While the thread watches the clock, a ration is one block at first in each
// tick, and grows by one after this many: a thread that was busy and no longer
// is must not have many blocks left.
constexpr uint32_t kRationsPerGrowth = 8;

// The most blocks of a class at a time while only samples need slow calls. A
// larger ration would save hardly any slow calls.
constexpr uint32_t kMaxSampledBlocks = 64;

}  // namespace

// Blocks of a class that may be taken, or freed, before the next look.
uint32_t ThreadCache::NextRation() {
  return std::min(RationBins::kMaxBlocks,
                  1 + rations_in_tick_++ / kRationsPerGrowth);
}

// Blocks of the class that malloc may have now, at least 1.
uint32_t ThreadCache::MostToAllocate(SizeClass c) {
  uint32_t most = 1;
  if (WatchNow() == Watch::kRationed) {
    most = NextRation();
  } else if (WatchNow() == Watch::kNone && !SeesEveryCall()) {
    most = std::min(kMaxSampledBlocks, BinSlots(c));
  }
  if (KeepsReserve()) {
    // Blocks left over from a ration are out of others' reach as well.
    most = std::min(most, GrowVisible(c));
  }
  if (Samples()) most = std::min(most, until_sample_[Index(c)]);
  return std::max(most, uint32_t{1});
}

void* ThreadCache::AllocateRationed(SizeClass c) {
  const size_t i = Index(c);
  if (HeldInRation(i) != 0) return RationTable().Pop(c);
  const uint32_t most = MostToAllocate(c);
  if (KeepsReserve()) TakeBackVisible(c, HeldVisible(i));
  const BinsLock lock(*this);
  if (Held(i) == 0) RefillBin(c, UINT32_MAX);
  // A small ration makes every few calls slow, so while rations are small fetch
  // blocks until there are enough for a whole one. Not for mid blocks: they are
  // few.
  if (!IsMid(c) && most <= RationBins::kMaxBlocks && Held(i) < most) {
    RefillBin(c, most - Held(i));
  }
  const uint32_t count = std::min(Held(i), most);
  if (count == 0) return nullptr;
  if (Samples()) until_sample_[i] -= std::min(until_sample_[i], count);
  Bin& bin = bins_.bins[i];
  bin.SetTop(bin.top - count * kSlotBytes);
  BinTable& ration = RationTable();
  memcpy(ration.SlotBelow(RationFirst(i) + kSlotBytes),
         bins_.SlotBelow(bin.top + kSlotBytes), count * kSlotBytes);
  ration.bins[i].SetTop(RationFirst(i) + count * kSlotBytes);
  return ration.Pop(c);
}

// While nothing but samples needs slow calls: all that the bin holds, up to the
// next sample. Most slow calls of a thread that samples end here.
void* ThreadCache::AllocateNextRation(size_t bytes) {
  ThreadCache* const cache = own_;
  if (cache == nullptr || bytes > kMaxMidBytes) return nullptr;
  BinTable& ration = cache->sampled_;
  if (thread_tables.ForPop() != &ration || cache->KeepsReserve() ||
      cache->WatchNow() != Watch::kNone || ++cache->calls_ >= kCallsPerPoll ||
      cache->is_poll_requested_.load(std::memory_order_relaxed)) {
    return nullptr;
  }
  const SizeClass c{ration.class_of_units[UnitsOf(bytes)]};
  const size_t i = Index(c);
  // A new-handler may have allocated.
  if (cache->HeldInRation(i) != 0) return ration.Pop(c);
  const uint32_t count = std::min(cache->Held(i), cache->until_sample_[i]);
  if (count == 0) return nullptr;
  cache->until_sample_[i] -= count;
  Bin& bin = cache->bins_.bins[i];
  bin.SetTop(bin.top - count * kSlotBytes);
  memcpy(ration.SlotBelow(FirstOffset(i) + kSlotBytes),
         cache->bins_.SlotBelow(bin.top + kSlotBytes), count * kSlotBytes);
  ration.bins[i].SetTop(FirstOffset(i) + count * kSlotBytes);
  return ration.Pop(c);
}

void ThreadCache::RationFrees(SizeClass c) {
  if (WatchNow() != Watch::kRationed) return;
  Bin& bin = Front().bins[Index(c)];
  bin.SetLimit(
      std::min(FrontLimit(Index(c)), bin.top + NextRation() * kSlotBytes));
}

// Returns the unused rations to the bins.
void ThreadCache::ReturnRation() {
  if (!UsesRation()) return;
  const BinsLock lock(*this);
  for (size_t i = 1; i < kClassCount; ++i) {
    const uint32_t count = HeldInRation(i);
    if (count == 0) continue;
    if (Samples()) until_sample_[i] += count;
    BinTable& ration = RationTable();
    PutBack(ClassNumber(i), ration.SlotBelow(RationFirst(i) + kSlotBytes),
            count);
    ration.bins[i].SetTop(RationFirst(i));
  }
}

// --- Samples -----------------------------------------------------------------

Sampling::Due ThreadCache::DueSample(SizeClass c) {
  ThreadCache* cache = own_;
  // Every call comes here that its tables do not serve: with none all do.
  if (cache == nullptr || !cache->Samples()) {
    return Sampling::DrawFor(ClassBytes(c));
  }
  const size_t i = Index(c);
  if (cache->HeldInRation(i) != 0 || cache->until_sample_[i] != 0) {
    return Sampling::Due::kNothing;
  }
  cache->until_sample_[i] = Sampling::DrawGap(c);
  return Sampling::ChooseFor(c);
}

// Begins or ends sampling by this thread, or draws its gaps anew. Call it while
// no blocks are rationed, before the thread's tables are chosen.
void ThreadCache::ChooseSampling() {
  const uint32_t generation = Sampling::Generation();
  if (SamplingSeen() == generation) return;
  if (generation != 0) {
    PrepareTable(sampled_);
    // The nulls below the first slots are there: nothing else writes to them.
    for (size_t c = 0; c < kClassCount; ++c) {
      sampled_.bins[c].SetTop(FirstOffset(c));
    }
    DrawGaps();
  }
  // release: pairs with the acquire in SamplingSeen.
  sampling_.store(generation, std::memory_order_release);
}

void ThreadCache::DrawGaps() {
  for (size_t c = 1; c < kClassCount; ++c) {
    until_sample_[c] = Sampling::DrawGap(ClassNumber(c));
  }
}

// Gives a table of the cache what it has besides bins.
void ThreadCache::PrepareTable(BinTable& table) {
  table.window = bins_.window;
  table.checks = bins_.checks;
  table.class_of_units = bins_.class_of_units;
}

}  // namespace hakmem
