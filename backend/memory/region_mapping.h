// Sets how the memory of regions is mapped: usable or not, huge pages or not.
// Internal to the chunk source, whose lock guards all of it.
//
// Each border between different neighbours, or between the usable and the
// unusable part of a chunk, costs one kernel mapping more. Mappings are limited
// (vm.max_map_count, 65530), so optional changes are skipped once there are
// many. A region begins as one mapping.
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

  // Requests huge pages for a usable chunk without them. Does nothing when the
  // kernel refuses, or there are many mappings.
  static void MakeDense(Region& region, size_t chunk);

  // Withdraws that. Returns false when the kernel refuses; the chunk stays
  // dense.
  static bool MakeSparse(Region& region, size_t chunk);

  // Makes free, non-resident chunks reserved again, so that they do not count
  // against limits on usable memory (RLIMIT_DATA, vm.overcommit_memory=2).
  // Returns how many.
  static size_t Withdraw(Region& region);

  // Call before a region is unmapped.
  static void Forget(const Region& region);

 private:
  static void Set(Region& region, size_t first, size_t count,
                  ChunkMapping mapping);
  static void SetPieces(Region& region, size_t chunk, size_t pieces);
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_REGION_MAPPING_H_
