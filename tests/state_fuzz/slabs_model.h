// Model of slab, slab pool and slab source (backend/slabs/slab.h, slab_pool.h,
// slab_source.h), combined as in a back-end, without a lock.
//
// The model holds the allocated blocks. They determine the bits of every slab,
// which slab a batch must come from, when a slab is returned, and what of the
// source is resident.
#ifndef HAKMEM_TESTS_STATE_FUZZ_SLABS_MODEL_H_
#define HAKMEM_TESTS_STATE_FUZZ_SLABS_MODEL_H_

#include <cstddef>
#include <cstdint>

#include "backend/slabs/slab.h"
#include "backend/slabs/slab_pool.h"
#include "backend/slabs/slab_source.h"
#include "base/size_classes.h"
#include "tests/state_fuzz/byte_source.h"
#include "tests/state_fuzz/faults.h"
#include "tests/state_fuzz/live_blocks.h"
#include "tests/state_fuzz/option_guard.h"

namespace hakmem::fuzz {

class SlabsModel {
 public:
  explicit SlabsModel(ByteSource& source);
  ~SlabsModel();

  void Perform(ByteSource& source);
  void CheckInvariants();

 private:
  void Take(ByteSource& source);
  void Put(ByteSource& source);
  void PutTwice(ByteSource& source);
  void ReturnSpare(ByteSource& source);
  void Purge(bool force);
  void CheckSlab(const Slab& slab);

  const FaultWatch run_;
  const OptionGuard decay_;
  const OptionGuard superslab_bytes_;
  const uint64_t take_weight_;
  const size_t class_count_;  // number of classes in this run
  const size_t first_class_;
  uint64_t now_;
  LiveBlocks blocks_;  // tag: the class
  SlabPool<Slab> pools_[kClassCount];
  SlabSource<Slab> source_;
};

}  // namespace hakmem::fuzz

#endif  // HAKMEM_TESTS_STATE_FUZZ_SLABS_MODEL_H_
