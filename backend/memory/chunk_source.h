// The chunk source: 2 MiB-aligned chunks for the back-ends and the page heap.
//
//   region   reserved │■■■■■■■■■■■■■■ usable ■■■■■■■■│    not yet usable     │
//            chunks   │ used │ dirty │ clean │ used  │ …                     │
//
// Address space is reserved in regions that grow with the heap (32 MiB to
// 1 GiB) and made usable (readable and writable) from the front. So a region
// takes two kernel mappings however it is used, and vm.max_map_count is not
// reached. The first chunk of a small heap is made usable piece by piece: under
// mlockall all usable memory is resident.
//
// A freed chunk stays resident for the decay time, then is purged. A region
// whose chunks are all free is unmapped when address space is limited, or on
// request. When usable memory is refused, purged chunks of regions in use are
// made reserved again: otherwise they would keep counting as data (RLIMIT_DATA)
// and against a commit limit.
//
// Huge pages are requested for a chunk when it is handed out. The request is
// withdrawn before any part of the chunk is purged; otherwise the kernel could
// fill the hole with a huge page again. Where huge pages are slow, small ones
// are used for a while (huge_page_trials.h).
//
// Lock order: after the back-ends' and the page heap's locks, before
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
  // How the caller will use a chunk. Huge pages suit a chunk that will soon be
  // full: one page fault instead of 512, and one TLB entry. A chunk that may
  // stay half empty would be fully resident.
  enum class Use { kSparse, kDense };

  struct Allocation {
    uintptr_t address = 0;  // 0: the OS refused
    bool is_zero = false;   // reads as zeros, nothing resident
    bool is_dense = false;  // made of huge pages, if the kernel has them
    size_t usable_bytes = kChunkBytes;  // from its start
  };

  // Allocates one chunk. Its first `wanted` bytes are usable, or its first
  // `least` if the OS refuses those; a dense chunk is usable as a whole. The
  // caller enters it in the pagemap.
  static Allocation Allocate(Use use, size_t wanted = kChunkBytes,
                             size_t least = kChunkBytes);

  // Makes the first `bytes` of an allocated chunk usable. False when the OS
  // refuses.
  static bool MakeUsable(uintptr_t address, size_t bytes);

  // Call before purging a part of a chunk with is_dense: the chunk becomes
  // sparse, so that the kernel does not fill the hole again. Returns false when
  // the kernel refuses: the chunk is still dense; call again before the next
  // hole.
  static bool BecomeSparse(uintptr_t address);

  // Frees a chunk, which must have been removed from the pagemap. `now` is
  // CoarseMilliseconds; `dirty_bytes` (0 to kChunkBytes) of it are resident.
  static void Free(uintptr_t address, size_t dirty_bytes, uint64_t now);

  // Purges chunks that have been free for the decay time at `now` (with
  // `force`: all free chunks), and unmaps regions with nothing in use. With
  // `force` after a refusal, and always under a strict commit limit, makes the
  // remaining free chunks reserved. Returns the bytes purged.
  static size_t Purge(uint64_t now, bool force, PurgeBudget* budget = nullptr);

  // Purges free chunks, whatever their age, until at most `most_dirty` bytes of
  // free chunks are resident or `budget` is spent. Returns the bytes purged.
  static size_t PurgeExcess(size_t most_dirty, PurgeBudget* budget);

  static size_t BytesReserved();

  // Whether `address` lies in a region, for messages.
  static bool Owns(uintptr_t address);

  // Bytes of chunks in use. Lock-free.
  static size_t BytesInUse();

  // Number of chunks handed out so far with nothing resident; each grew the
  // process's memory. Lock-free.
  static uint64_t FreshChunks();

  static void LockForFork();
  static void UnlockAfterFork();

  // Checks the invariants (heap_verifier.h). For this and OverlapsRegion
  // (whether a byte of the range lies in a region) the caller holds the locks,
  // as for fork.
  [[gnu::cold]] static void VerifyInvariants(HeapVerifier& check);
  static bool OverlapsRegion(uintptr_t address, size_t bytes);
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_CHUNK_SOURCE_H_
