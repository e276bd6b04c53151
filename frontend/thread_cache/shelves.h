// Shelves: how batches of tiny blocks reach a thread that only allocates their
// class from one that only frees it, without a visit to their slabs: two
// changes of a shared word per batch (shelf.h). (The idea is google tcmalloc's
// transfer cache.)
//
//   bin that only runs full ─► shelf of the class ─► bin that only runs empty
//                                    │ what was not taken for an epoch
//                                    ▼
//                                 back-end
//
// A shelf grows by a slot when a batch finds no room while some bin has found
// it empty, and shrinks by what was not taken. So a class has one only while
// threads hand its blocks over. What all of them may hold is bounded.
//
// What lies on shelves is free memory like that in bins: collecting, refused
// requests, statistics, fork and the heap verifier see it, and in hardened
// builds it is marked. Not used in builds that hand out the blocks of a slab in
// random order.
//
// Thread-safe. Flush and Age take locks of the back-end; nothing else takes a
// lock.
#ifndef HAKMEM_FRONTEND_THREAD_CACHE_SHELVES_H_
#define HAKMEM_FRONTEND_THREAD_CACHE_SHELVES_H_

#include <cstddef>
#include <cstdint>

#include "base/size_classes.h"

namespace hakmem {

class Shelves {
 public:
  // The most blocks of a batch.
  static constexpr uint32_t kBatch = 32;
  // The most bytes on all shelves, but for a batch of each thread that leaves
  // one just then.
  static constexpr size_t kMaxBytes = size_t{1} << 20;

  // Leaves `count` free blocks of a tiny class, at most kBatch, for a thread
  // that needs them. False, and nothing is done, if none does.
  static bool Put(SizeClass c, void* const* blocks, uint32_t count);

  // Takes up to `most` blocks, for a bin that only runs empty. Returns how
  // many.
  static uint32_t Take(SizeClass c, void** blocks, uint32_t most);

  // Returns what was not taken for an epoch. `now` as CoarseMilliseconds.
  static void Age(uint64_t now);

  // Returns everything.
  static void Flush();

  // Bytes on all shelves.
  static size_t Bytes();
  // Adds the blocks on shelves to `blocks`, by class.
  static void AddBlocks(uint64_t (&blocks)[kClassCount]);
  // Whether there may be any. Cheap.
  static bool MayHold();

  // In the child of a fork, where the other threads are gone: what they were
  // moving is lost.
  static void AbandonOtherThreads();

  // Calls visit(c, block, argument) for each block. No other thread may be in
  // the allocator.
  using Visitor = void (*)(SizeClass c, uintptr_t block, void* argument);
  static void Visit(Visitor visit, void* argument);
};

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_THREAD_CACHE_SHELVES_H_
