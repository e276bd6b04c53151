#include "frontend/thread_cache/fallback_heap.h"

#include <algorithm>

#include "absl/base/thread_annotations.h"
#include "backend/errors/emergency.h"
#include "backend/verify/heap_verifier.h"
#include "base/sync/lock.h"
#include "frontend/thread_cache/bins.h"
#include "frontend/thread_cache/in_use_check.h"
#include "frontend/thread_cache/retry_gate.h"
#include "hardening/freed_mark.h"
#include "hardening/levels.h"
#include "linked_backend.h"
#include "tracing/counters/counters.h"

namespace hakmem {
namespace {

constinit Mutex shared_mutex;
constinit LinkedBackend::Heap* shared_heap ABSL_GUARDED_BY(shared_mutex) =
    nullptr;

constinit thread_local bool is_in_emergency = false;

bool AttachSharedHeap() ABSL_EXCLUSIVE_LOCKS_REQUIRED(shared_mutex) {
  if (shared_heap == nullptr) shared_heap = LinkedBackend::Attach();
  return shared_heap != nullptr;
}

void* Refill(SizeClass c) {
  void* block = nullptr;
  if (IsMid(c)) {
    Ace::Refill(c, &block, 1);
    return block;
  }
  MutexLock lock(shared_mutex);
  if (AttachSharedHeap()) LinkedBackend::Refill(shared_heap, c, &block, 1);
  return block;
}

SpanAllocation EmergencyPages(size_t bytes, size_t alignment) {
  const void* piece =
      Emergency::Allocate(bytes, std::max(alignment, kPageBytes));
  return {reinterpret_cast<uintptr_t>(piece), /*is_zero=*/true};
}

}  // namespace

void* FallbackHeap::Allocate(SizeClass c) {
  if (is_in_emergency) {
    // The alignment of a block of the class.
    const size_t bytes = ClassBytes(c);
    return Emergency::Allocate(bytes, bytes & -bytes);
  }
  void* block = Refill(c);
  Count(Event::kRefill);
  if (block == nullptr) return nullptr;
  Count(Event::kRefilledBlock);
  retry_gate.Open();
  BinChecks::Make().Unmark(block);
  return block;
}

void FallbackHeap::Free(SizeClass c, void* block) {
  if (is_in_emergency) return;
  if constexpr (kMarksFreed) {
    AbortUnlessInUse(c, block);
    FreedMark::Put(block);
  }
  Count(Event::kDrain);
  Count(Event::kDrainedBlock);
  if (IsMid(c)) {
    Ace::Drain(c, &block, 1);
  } else {
    MutexLock lock(shared_mutex);
    // Without memory for a heap the block goes to its owner's heap.
    (void)AttachSharedHeap();
    LinkedBackend::Drain(shared_heap, c, &block, 1);
  }
  retry_gate.Open();
}

SpanAllocation FallbackHeap::AllocateSpan(size_t bytes, size_t alignment) {
  return is_in_emergency ? EmergencyPages(bytes, alignment)
                         : Ace::AllocateSpan(bytes, alignment, nullptr);
}

SpanAllocation FallbackHeap::AllocateLarge(size_t bytes, size_t alignment,
                                           Ace::Contents contents) {
  return is_in_emergency ? EmergencyPages(bytes, alignment)
                         : Ace::AllocateLarge(bytes, alignment, contents);
}

void FallbackHeap::FreeSpanOrLarge(PagemapEntry entry) {
  if (is_in_emergency) return;
  Ace::Free(entry, nullptr);
  retry_gate.Open();
}

void FallbackHeap::BeginEmergency() { is_in_emergency = true; }

bool FallbackHeap::IsInEmergency() { return is_in_emergency; }

void FallbackHeap::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  shared_mutex.Lock();
}

void FallbackHeap::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  shared_mutex.Unlock();
}

void FallbackHeap::NoteHolder(HeapVerifier& check)
    ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (shared_heap != nullptr) LinkedBackend::NoteHolder(check, shared_heap);
}

}  // namespace hakmem
