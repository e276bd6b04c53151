// What the kernel is told of the memory of regions: usable or not, huge pages
// or not. The chunk source's own; its lock guards all of it.
//
// Each place where two neighbours differ, or where what is usable of a chunk
// ends inside it, is one kernel mapping more. Of these
// there are vm.max_map_count (65530), so what may be left undone is, where
// there are many. A region begins as one mapping.
#ifndef HAKMEM_BACKEND_MEMORY_REGION_MAPPING_H_
#define HAKMEM_BACKEND_MEMORY_REGION_MAPPING_H_

#include <cstddef>

#include "backend/memory/region.h"

namespace hakmem {

class RegionMapping {
 public:
  // Makes the first `bytes` of a chunk usable, or more of it. Returns 0 or an
  // errno.
  static int MakeUsable(Region& region, size_t chunk, size_t bytes);

  // Asks for huge pages for a usable chunk that has none. Does nothing when the
  // kernel refuses, or there are many mappings.
  static void MakeDense(Region& region, size_t chunk);

  // Takes that back. Returns false when the kernel refuses; the chunk is dense
  // still.
  static bool MakeSparse(Region& region, size_t chunk);

  // Makes chunks that are free and not resident reserved again, so that they
  // count against no limit on what is usable (RLIMIT_DATA,
  // vm.overcommit_memory=2). Returns how many.
  static size_t Withdraw(Region& region);

  // To be called before a region goes.
  static void Forget(const Region& region);

 private:
  static void Set(Region& region, size_t first, size_t count,
                  ChunkMapping mapping);
  static void SetPieces(Region& region, size_t chunk, size_t pieces);
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_REGION_MAPPING_H_
