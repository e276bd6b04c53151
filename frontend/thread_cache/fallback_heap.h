// Serves threads without a cache (thread_cache.h): a thread that has ended and
// still runs destructors, one that is just starting, one for which the OS
// refused a cache. They share one heap under a lock. A thread that is aborting
// the process may hold this or other locks, so it takes none and gets emergency
// memory (backend/errors/emergency.h).
#ifndef HAKMEM_FRONTEND_THREAD_CACHE_FALLBACK_HEAP_H_
#define HAKMEM_FRONTEND_THREAD_CACHE_FALLBACK_HEAP_H_

#include <cstddef>
#include <cstdint>

#include "ace/ace.h"
#include "base/size_classes.h"

namespace hakmem {

class HeapVerifier;

class FallbackHeap {
 public:
  // A block of class `c`. Null when the OS refuses memory.
  static void* Allocate(SizeClass c);

  // Takes a block of class `c`, not kNone.
  static void Free(SizeClass c, void* block);

  // The same for spans and large blocks; see Ace.
  static SpanAllocation AllocateSpan(size_t bytes, size_t alignment);
  static SpanAllocation AllocateLarge(size_t bytes, size_t alignment,
                                      Ace::Contents contents);
  static void FreeSpanOrLarge(PagemapEntry entry);

  // From now on the calling thread is served from emergency memory, and what it
  // frees is dropped.
  static void BeginEmergency();
  static bool IsInEmergency();

  static void LockForFork();
  static void UnlockAfterFork();

  // Reports the heap held here to the back-end. The caller holds the lock, as
  // for fork.
  [[gnu::cold]] static void NoteHolder(HeapVerifier& check);
};

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_THREAD_CACHE_FALLBACK_HEAP_H_
