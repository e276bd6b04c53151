// The chunk source: 2 MiB-aligned chunks for the back-ends and the page heap.
//
//   region   reserved │■■■■■■■■■■■■■■ usable ■■■■■■■■│    not yet usable     │
//            chunks   │ used │ dirty │ clean │ used  │ …                     │
//
// Address space is reserved in regions that grow with the heap (32 MiB to
// 1 GiB), made usable from the front on, so a region is two kernel mappings
// however it is used (vm.max_map_count is never what runs out). A chunk that
// comes back stays resident for the decay time, then is purged. A region whose
// chunks are all free is unmapped when address space is limited or asked for.
//
// Lock order: behind the back-ends' and the page heap's locks, before
// metadata's.
#ifndef HAKMEM_BACKEND_CHUNK_SOURCE_H_
#define HAKMEM_BACKEND_CHUNK_SOURCE_H_

#include <cstddef>
#include <cstdint>

#include "backend/chunk.h"

namespace hakmem {

class ChunkSource {
 public:
  struct Allocation {
    uintptr_t address = 0;  // 0: the OS refused
    bool is_zero = false;   // reads as zeros, nothing of it resident
  };

  // One chunk's memory, usable. The caller enters it in the address map.
  static Allocation Allocate();

  // Takes a chunk back, already removed from the address map. `now` is
  // CoarseMilliseconds; `dirty_bytes` (0 to kChunkBytes) of it are resident.
  static void Free(uintptr_t address, size_t dirty_bytes, uint64_t now);

  // Purges the free chunks that came back at least the decay time before
  // `now`, all of them with `force`, and unmaps regions with nothing in use.
  // Returns the bytes given back.
  static size_t Purge(uint64_t now, bool force);

  static size_t BytesReserved();

  // How many chunks with nothing resident have been handed out so far: the
  // process's memory grew by each. Without the lock.
  static uint64_t FreshChunks();

  static void LockForFork();
  static void UnlockAfterFork();
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_CHUNK_SOURCE_H_
