// Checks the segment back-end (heap_verifier.h): heaps own their pages, a block
// freed remotely is not free yet and its page waits, each waiting page is in
// one stack, and each heap has a thread or is an orphan.
#include <atomic>

#include "absl/base/thread_annotations.h"
#include "backend/segment/segment_heap.h"
#include "backend/slabs/inner_purge_check.h"
#include "backend/slabs/slab_check.h"
#include "backend/slabs/slab_pool_check.h"
#include "backend/slabs/slab_source_check.h"
#include "backend/verify/heap_verifier.h"

namespace hakmem {
namespace {

using Heap = SegmentBackend::Heap;

RemoteLink* NextWaiting(const RemoteLink* link) { return link->next_waiting; }

RemoteLink* FirstWaiting(const Heap& heap) {
  // acquire: pairs with the release in DeliverRemoteLink.
  return heap.waiting_links.load(std::memory_order_acquire);
}

// Whether `page` is in a segment in use. Safe to read: memory that held a page
// always holds a page or zeros.
bool IsHeld(const SegmentSlab* page) {
  const Chunk* chunk = Pagemap::ChunkAt(page->base);
  return chunk != nullptr && chunk->kind == ChunkKind::kSlabs &&
         FindSlab<SegmentSlab>(page->base) == page;
}

// Whether the page has remote frees that were not merged yet.
bool CheckRemoteBits(const SegmentSlab& page, HeapVerifier& check) {
  const bool is_free = page.size_class == SizeClass::kNone;
  uint64_t any = 0;
  for (uint32_t word = 0; word < kMaxSlabBlocks / 64; ++word) {
    const uint64_t remote =
        std::atomic_ref<uint64_t>(const_cast<uint64_t&>(page.remote_bits[word]))
            .load(std::memory_order_relaxed);
    any |= remote;
    if (remote == 0) continue;
    const uint32_t first = word * 64;
    const uint32_t blocks =
        is_free || page.block_count <= first ? 0 : page.block_count - first;
    const uint64_t valid =
        blocks >= 64 ? ~uint64_t{0} : (uint64_t{1} << blocks) - 1;
    check.Require((remote & ~valid) == 0,
                  "a block was freed remotely that the page does not have",
                  page.base);
    check.Require((remote & valid & page.free_bits[word]) == 0,
                  "a block freed remotely is free already", page.base);
  }
  return any != 0;
}

void CheckPage(const SegmentSlab& page, const Heap& heap, HeapVerifier& check,
               size_t& waiting) {
  if (!IsHeld(&page)) return;  // its wrong address is reported elsewhere
  const bool is_free = page.size_class == SizeClass::kNone;
  const RemoteLink& link =
      *FindSlabChunk<SegmentSlab>(page.base)->LastingAt(page.base);
  const Heap* owner = page.owner.load(std::memory_order_relaxed);
  check.Require(owner == (is_free ? nullptr : &heap),
                is_free ? "a free page has an owner"
                        : "a page's owner is not the heap that holds it",
                page.base);
  check.Require(owner == link.owner.load(std::memory_order_relaxed),
                "a page's link has another owner", page.base);
  check.Require(is_free || link.page == &page,
                "a page's link leads to another page", page.base);
  const bool is_waiting = link.waiting.load(std::memory_order_relaxed);
  waiting += is_waiting;
  check.RequireAtRest(!CheckRemoteBits(page, check) || is_waiting,
                      "a page with remote frees does not wait", page.base);
}

// Reports circular stacks. Returns whether there is none.
bool CheckStacks(Heap* all_heaps, HeapVerifier& check) {
  const int errors_before = check.errors();
  for (Heap* heap = all_heaps; heap != nullptr; heap = heap->next_heap) {
    WalkChain(FirstWaiting(*heap), NextWaiting,
              "a stack of waiting pages leads in a circle", check,
              [](const RemoteLink*) {});
  }
  return check.errors() == errors_before;
}

// `waiting`: how many pages of segments in use say that they are in a stack.
void CheckWaiting(Heap* all_heaps, size_t waiting, HeapVerifier& check) {
  if (!CheckStacks(all_heaps, check)) return;
  size_t found = 0;
  const auto for_each = [&](auto&& visit) {
    for (Heap* heap = all_heaps; heap != nullptr; heap = heap->next_heap) {
      for (RemoteLink* link = FirstWaiting(*heap); link != nullptr;
           link = NextWaiting(link)) {
        visit(link);
      }
    }
  };
  for_each([&](const RemoteLink* link) {
    check.Require(link->waiting.load(std::memory_order_relaxed),
                  "a page in a stack does not say that it waits",
                  link->page->base);
    found += IsHeld(link->page);
  });
  check.RequireDistinct(
      [&](auto&& add) {
        for_each([&](const RemoteLink* link) {
          add(reinterpret_cast<uintptr_t>(link));
        });
      },
      "a page waits in a stack twice");
  check.RequireEqualAtRest(waiting, found,
                           "pages say that they wait, but are in no stack");
}

}  // namespace

void SegmentBackend::Heap::VerifyInvariants(
    HeapVerifier& check, size_t& waiting) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  SlabTally tallies[kTinyClassCount];
  source.VerifyInvariants(check, [&](const SegmentSlab& page) {
    CheckPage(page, *this, check, waiting);
    if (page.size_class == SizeClass::kNone) return;
    if (check.Require(Index(page.size_class) < kTinyClassCount,
                      "a page is of a class that heaps do not serve",
                      page.base)) {
      tallies[Index(page.size_class)].Add(page);
    }
  });
  uint64_t queued = 0;
  for (size_t c = 0; c < kTinyClassCount; ++c) {
    pages[c].VerifyInvariants(SizeClass{static_cast<uint8_t>(c)}, tallies[c],
                              check);
    queued += tallies[c].idle_queued;
  }
  idle.VerifyInvariants(queued, check);
}

void CheckHeaps(Heap* all_heaps, Heap* orphans,
                HeapVerifier& check) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  const int errors_before = check.errors();
  WalkChain(
      orphans, [](const Heap* heap) { return heap->next_orphan; },
      "the list of orphans leads in a circle", check, [](const Heap*) {});
  if (check.errors() == errors_before) {
    for (Heap* heap = orphans; heap != nullptr; heap = heap->next_orphan) {
      SegmentBackend::NoteHolder(check, heap);
    }
  }
  size_t waiting = 0;
  for (Heap* heap = all_heaps; heap != nullptr; heap = heap->next_heap) {
    check.RequireAtRest(heap->has_holder, "a heap is nobody's",
                        reinterpret_cast<uintptr_t>(heap));
    heap->has_holder = false;
    heap->VerifyInvariants(check, waiting);
  }
  // has_holder is still set if the heap was not in the list.
  for (Heap* heap = orphans; heap != nullptr && check.errors() == errors_before;
       heap = heap->next_orphan) {
    check.Require(!heap->has_holder, "an orphan is not in the list of heaps",
                  reinterpret_cast<uintptr_t>(heap));
  }
  CheckWaiting(all_heaps, waiting, check);
  SlabSource<SegmentSlab>::CheckPool(check);
}

}  // namespace hakmem
