#include "frontend/without_cache.h"

#include "absl/base/thread_annotations.h"
#include "ace/ace.h"
#include "backend/book_check.h"
#include "base/lock.h"
#include "frontend/bins.h"
#include "frontend/in_use_check.h"
#include "hardening/freed_mark.h"
#include "hardening/levels.h"
#include "linked_backend.h"

namespace hakmem {
namespace {

constinit Mutex shared_mutex;
constinit LinkedBackend::Heap* shared_heap ABSL_GUARDED_BY(shared_mutex) =
    nullptr;

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

}  // namespace

void* WithoutCache::Allocate(SizeClass c) {
  void* block = Refill(c);
  if (block != nullptr) BinChecks::Make().Unmark(block);
  return block;
}

void WithoutCache::Free(SizeClass c, void* block) {
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

void WithoutCache::LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  shared_mutex.Lock();
}

void WithoutCache::UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  shared_mutex.Unlock();
}

void WithoutCache::NoteHolder(BookCheck& check) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (shared_heap != nullptr) LinkedBackend::NoteHolder(check, shared_heap);
}

}  // namespace hakmem
