// Blocks for threads without a cache (thread_cache.h): one that has ended and
// still runs destructors, one that is just beginning, one for which the OS
// refuses a cache. They share a heap under a lock; called by ThreadCache alone.
#ifndef HAKMEM_FRONTEND_WITHOUT_CACHE_H_
#define HAKMEM_FRONTEND_WITHOUT_CACHE_H_

#include "base/size_classes.h"

namespace hakmem {

class BookCheck;

class WithoutCache {
 public:
  // A block of class `c`. Null when the OS refuses memory.
  static void* Allocate(SizeClass c);

  // Takes back a block of class `c`, not kNone.
  static void Free(SizeClass c, void* block);

  static void LockForFork();
  static void UnlockAfterFork();

  // Tells the back-end of the heap that is held here. The caller holds the
  // lock, as for fork.
  static void NoteHolder(BookCheck& check);
};

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_WITHOUT_CACHE_H_
