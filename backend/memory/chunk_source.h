// The chunk source: 2 MiB-aligned chunks for the back-ends and the page heap.
//
//   region   reserved │■■■■■■■■■■■■■■ usable ■■■■■■■■│    not yet usable     │
//            chunks   │ used │ dirty │ clean │ used  │ …                     │
//
// Address space is reserved in regions that grow with the heap (32 MiB to
// 1 GiB), made usable from the front on, so a region is two kernel mappings
// however it is used (vm.max_map_count is never what runs out). Small heaps
// have their first chunk made usable piece by piece: where memory is locked
// (mlockall) all that is usable is resident. A chunk that
// comes back stays resident for the decay time, then is purged. A region whose
// chunks are all free is unmapped when address space is limited or asked for.
// When usable memory is refused, purged chunks of regions in use are made
// reserved again: else they would count as data, and against a limit on what is
// promised, for ever.
//
// Whether the kernel is asked for huge pages is decided chunk by chunk, each
// time one is handed out, and taken back with the first hole purged in it:
// memory that was dense once must not make a small heap large later. A huge
// page is cleared at once; where that takes longer than 512 page faults do (a
// hypervisor that must find the memory first), small ones are used for a while.
//
// Lock order: behind the back-ends' and the page heap's locks, before
// metadata's.
#ifndef HAKMEM_BACKEND_MEMORY_CHUNK_SOURCE_H_
#define HAKMEM_BACKEND_MEMORY_CHUNK_SOURCE_H_

#include <cstddef>
#include <cstdint>

#include "backend/memory/chunk.h"
#include "backend/memory/purge_budget.h"

namespace hakmem {

class HeapVerifier;

class ChunkSource {
 public:
  // How the caller means to use a chunk. One that will soon be full is better
  // made of huge pages: one page fault in place of 512, and one TLB entry. One
  // that may stay half empty would only be all resident.
  enum class Use { kSparse, kDense };

  struct Allocation {
    uintptr_t address = 0;  // 0: the OS refused
    bool is_zero = false;   // reads as zeros, nothing of it resident
    bool is_dense = false;  // made of huge pages, where the kernel has them
    size_t usable_bytes = kChunkBytes;  // from its start
  };

  // One chunk's memory, of which the first `wanted` bytes are usable, or if the
  // OS refuses those the first `least`; of a dense one all. The caller enters
  // it in the pagemap.
  static Allocation Allocate(Use use, size_t wanted = kChunkBytes,
                             size_t least = kChunkBytes);

  // Makes the first `bytes` of a chunk that was handed out usable. False when
  // the OS refuses.
  static bool MakeUsable(uintptr_t address, size_t bytes);

  // To be called for a chunk with is_dense before a part of it is purged: it is
  // no longer dense, and the kernel shall not fill the hole again. False when
  // the kernel refuses: it is still, and is to be told with the next hole.
  static bool BecomeSparse(uintptr_t address);

  // Takes a chunk back, already removed from the pagemap. `now` is
  // CoarseMilliseconds; `dirty_bytes` (0 to kChunkBytes) of it are resident.
  static void Free(uintptr_t address, size_t dirty_bytes, uint64_t now);

  // Purges the free chunks that came back at least the decay time before
  // `now`, all of them with `force`, and unmaps regions with nothing in use;
  // with `force` after a refusal, and always where the commit limit is strict,
  // withdraws all others that are free as well.
  // Returns the bytes given back.
  static size_t Purge(uint64_t now, bool force, PurgeBudget* budget = nullptr);

  static size_t BytesReserved();

  // Whether `address` lies in a region, for messages.
  static bool Owns(uintptr_t address);

  // Chunks that are in use, in bytes. Without the lock.
  static size_t BytesInUse();

  // How many chunks with nothing resident have been handed out so far: the
  // process's memory grew by each. Without the lock.
  static uint64_t FreshChunks();

  static void LockForFork();
  static void UnlockAfterFork();

  // Proves that the books balance (heap_verifier.h). The caller holds the
  // locks, as for fork; of OverlapsRegion as well, which tells whether a byte
  // of the range lies in a region.
  [[gnu::cold]] static void VerifyInvariants(HeapVerifier& check);
  static bool OverlapsRegion(uintptr_t address, size_t bytes);
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_CHUNK_SOURCE_H_
