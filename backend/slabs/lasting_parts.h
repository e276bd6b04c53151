// Lasting parts: the part of each slab's metadata that other threads may access
// without a lock even after the slab is freed (the segment back-end's
// RemoteLink). Stored apart from the chunk's metadata and never purged.
#ifndef HAKMEM_BACKEND_SLABS_LASTING_PARTS_H_
#define HAKMEM_BACKEND_SLABS_LASTING_PARTS_H_

#include <cstddef>
#include <utility>

#include "backend/memory/metadata.h"
#include "backend/slabs/slab.h"

namespace hakmem {

class HeapVerifier;

// A chunk's lasting parts, one per slab. A zeroed object has none yet.
template <typename SlabT>
class LastingParts {
 public:
  bool Take(SlabT*) { return true; }
  void LetGo() {}
  static void LockPoolForFork() {}
  static void UnlockPoolAfterFork() {}
};

template <typename SlabT>
requires requires { typename SlabT::Lasting; }
class LastingParts<SlabT> {
 public:
  using Part = typename SlabT::Lasting;
  struct Row {
    Row* pool_next;
    Part parts[kSlabsPerChunk];
  };

  // Allocates a row if there is none yet, and joins each part to its slab. The
  // row may have belonged to other slabs, and threads may still use it as
  // theirs. False when the OS refuses memory.
  bool Take(SlabT* slabs) {
    if (row_ != nullptr) return true;
    row_ = pool_.Get();
    if (row_ == nullptr) return false;
    for (size_t i = 0; i < kSlabsPerChunk; ++i) row_->parts[i].Join(&slabs[i]);
    return true;
  }
  void LetGo() {
    if (row_ != nullptr) pool_.Put(std::exchange(row_, nullptr));
  }

  Part* At(size_t i) const { return &row_->parts[i]; }
  const Row* row() const { return row_; }

  static void LockPoolForFork() { pool_.LockForFork(); }
  static void UnlockPoolAfterFork() { pool_.UnlockAfterFork(); }
  template <typename IsUsed>
  static void CheckPool(HeapVerifier& check, IsUsed&& is_used) {
    pool_.VerifyInvariants(check, is_used);
  }

 private:
  static inline constinit MetadataAllocator<Row> pool_;
  Row* row_;
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SLABS_LASTING_PARTS_H_
