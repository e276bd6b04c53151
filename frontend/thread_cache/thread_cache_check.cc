// Verifies all threads' bins: each address is the start of a block of the bin's
// class that is not free in its slab, and no block or span is cached twice, by
// whatever cache.
#include "ace/ace.h"
#include "backend/memory/pagemap.h"
#include "backend/verify/heap_verifier.h"
#include "frontend/thread_cache/shelves.h"
#include "frontend/thread_cache/thread_cache.h"
#include "linked_backend.h"

namespace hakmem {
namespace {

// `address` is in a bin of class `c`.
void CheckBlock(SizeClass c, uintptr_t address, HeapVerifier& check) {
  const Chunk* chunk = Pagemap::ChunkAt(address);
  if (!check.Require(chunk != nullptr && chunk->kind == ChunkKind::kSlabs &&
                         Pagemap::ClassAt(address) == c,
                     "what a bin holds is no block of its class", address)) {
    return;
  }
  const Slab* slab =
      IsMid(c) ? Ace::SlabAt(address) : LinkedBackend::SlabAt(address);
  const uint32_t block = slab->BlockAt(address);
  if (!check.Require(block != Slab::kNotABlock,
                     "what a bin holds is not the start of a block", address)) {
    return;
  }
  check.Require(!slab->IsBlockFree(block),
                "a block in a bin is free in its slab as well", address);
  if (IsMid(c)) return;
  check.Require(!LinkedBackend::IsFreedRemotely(address),
                "a block in a bin was freed remotely as well", address);
}

}  // namespace

// Calls visit(block) for each block of the class in the ration and among the
// visible ones.
template <typename Visit>
void ThreadCache::VisitSmallTables(size_t c, Visit&& visit) const {
  auto* cache = const_cast<ThreadCache*>(this);
  for (uint32_t i = 1; i <= HeldInRation(c); ++i) {
    visit(reinterpret_cast<uintptr_t>(
        *cache->RationTable().SlotBelow(RationFirst(c) + i * kSlotBytes)));
  }
  for (uint32_t i = 1; i <= HeldVisible(c); ++i) {
    visit(reinterpret_cast<uintptr_t>(visible_.slots[c][i]));
  }
}

void ThreadCache::CheckBin(size_t c, HeapVerifier& check) const {
  const SizeClass size_class = ClassNumber(c);
  const uint32_t first = FirstOffset(c);
  const uint32_t most = first + BinSlots(size_class) * kSlotBytes;
  const Bin& bin = bins_.bins[c];
  auto& bins = const_cast<ThreadBins&>(bins_);
  if (!check.Require(first <= bin.top && bin.top <= most &&
                         (bin.top - first) % kSlotBytes == 0 &&
                         first <= states_[c].limit &&
                         states_[c].limit <= most &&
                         bin.limit <= states_[c].limit,
                     "a bin's top or limit is not in the bin",
                     reinterpret_cast<uintptr_t>(this))) {
    return;
  }
  check.Require(*bins.SlotBelow(first) == nullptr, "a bin has no bottom",
                reinterpret_cast<uintptr_t>(this));
  for (uint32_t top = bin.top; top != first; top -= kSlotBytes) {
    CheckBlock(size_class, reinterpret_cast<uintptr_t>(*bins.SlotBelow(top)),
               check);
  }
  const uint32_t most_rationed =
      Samples() ? BinSlots(size_class) : RationBins::kMaxBlocks;
  if (check.Require(HeldInRation(c) <= most_rationed,
                    "a ration is larger than its room",
                    reinterpret_cast<uintptr_t>(this)) &&
      check.Require(HeldVisible(c) <= RationBins::kMaxBlocks,
                    "a visible bin is larger than its room",
                    reinterpret_cast<uintptr_t>(this))) {
    VisitSmallTables(
        c, [&](uintptr_t block) { CheckBlock(size_class, block, check); });
  }
}

void ThreadCache::CheckOwnMetadata(HeapVerifier& check) const {
  size_t mid_limit_bytes = 0;
  for (size_t c = 0; c < kClassCount; ++c) {
    CheckBin(c, check);
    const SizeClass size_class = ClassNumber(c);
    if (IsMid(size_class)) mid_limit_bytes += Limit(c) * ClassBytes(size_class);
  }
  check.RequireEqual(mid_limit_bytes_, mid_limit_bytes,
                     "wrong sum of mid bins' limits",
                     reinterpret_cast<uintptr_t>(this));
  span_cache_.VerifyInvariants(check);
}

void ThreadCache::CheckCaches(const IntrusiveList<ThreadCache>& caches,
                              HeapVerifier& check) {
  const int errors_before = check.errors();
  WalkList(caches, "the list of thread caches is broken", check,
           [&](const ThreadCache* cache) { cache->CheckOwnMetadata(check); });
  Shelves::Visit(
      [](SizeClass c, uintptr_t block, void* verifier) {
        CheckBlock(c, block, *static_cast<HeapVerifier*>(verifier));
      },
      &check);
  // With errors, bins may point anywhere and the list may be endless.
  if (check.errors() != errors_before) return;
  const auto enumerate = [&](auto&& add) {
    for (ThreadCache* cache = caches.front(); cache != nullptr;
         cache = IntrusiveList<ThreadCache>::Next(cache)) {
      for (size_t c = 1; c < kClassCount; ++c) {
        for (uint32_t i = 1; i <= cache->Held(c); ++i) {
          add(reinterpret_cast<uintptr_t>(
              *cache->bins_.SlotBelow(FirstOffset(c) + i * kSlotBytes)));
        }
        cache->VisitSmallTables(c, add);
      }
      cache->span_cache_.VisitSpans(add);
    }
    using Add = std::remove_reference_t<decltype(add)>;
    Shelves::Visit([](SizeClass, uintptr_t block,
                      void* to) { (*static_cast<Add*>(to))(block); },
                   &add);
    Ace::VisitShared(
        [](uintptr_t span, void* to) { (*static_cast<Add*>(to))(span); }, &add);
  };
  check.RequireDistinct(enumerate, "a free block or span is kept twice");
}

}  // namespace hakmem
