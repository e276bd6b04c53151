// The slabs of one size class, ordered by how full they are.
//
//   partial[0] │ partial[1] │ … │ partial[7]   slabs with free and used blocks:
//   fullest                       emptiest     bucket = eighths that are free
//   spare                                      one slab without a used block
//
// Full slabs are in no list until one of their blocks is freed. Both back-ends
// use it: one per process (SuperSlab) or per heap (segment).
//
// Not thread-safe: guarded by the back-end's lock.
#ifndef HAKMEM_BACKEND_SLABS_SLAB_POOL_H_
#define HAKMEM_BACKEND_SLABS_SLAB_POOL_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "backend/slabs/slab.h"
#include "base/intrusive_list.h"

namespace hakmem {

class HeapVerifier;
struct SlabTally;

template <typename SlabT>
class SlabPool {
 public:
  static constexpr uint8_t kBuckets = 8;  // Slab::FreeEighths

  constexpr SlabPool() = default;

  // Takes up to `count` blocks, from the fullest slabs first, into
  // blocks[0..n), lowest address last; returns n.
  uint32_t Take(void** blocks, uint32_t count) {
    uint32_t taken = 0;
    while (taken < count) {
      SlabT* slab = Fullest();
      if (slab == nullptr) break;
      const uint32_t n = std::min<uint32_t>(count - taken, slab->free_count);
      // Later slabs go below earlier ones; see Slab::Take for the order.
      slab->Take(blocks + count - taken - n, n);
      taken += n;
      Place(slab);
    }
    if (taken < count && taken != 0) {
      std::copy(blocks + count - taken, blocks + count, blocks);
    }
    return taken;
  }

  // Takes blocks that fill whole cache lines from one of the fullest slabs that
  // has some. Returns how many.
  uint32_t TakeWholeLines(void** blocks, uint32_t count) {
    uint32_t taken = 0;
    SlabT* from = spare_;
    int looked_at = 0;
    VisitPartial([&](SlabT* slab) {
      from = slab;
      taken = slab->TakeWholeLines(blocks, count);
      return taken == 0 && ++looked_at < kMostLookedAt;
    });
    if (taken == 0 && spare_ != nullptr) {
      from = spare_;
      taken = spare_->TakeWholeLines(blocks, count);
    }
    if (taken != 0) Place(from);
    return taken;
  }

  // Adds a slab without used blocks. The pool must not have another one.
  void AddEmpty(SlabT* slab) {
    slab->bucket = kNoBucket;
    SetSpare(slab);
  }

  // Call after blocks of `slab` were freed. Returns a slab that the pool no
  // longer needs, to be returned to the slab source, or null.
  SlabT* AfterPut(SlabT* slab) {
    if (!slab->IsEmpty()) {
      Place(slab);
      return nullptr;
    }
    if (slab == spare_) return nullptr;
    Unlist(slab);
    // Keeps the one with more resident memory: it costs fewer page faults.
    SlabT* other = spare_;
    if (other != nullptr && other->touched_bytes > slab->touched_bytes) {
      return slab;
    }
    SetSpare(slab);
    return other;
  }

  // Call after free blocks of `slab` were taken other than by Take.
  void AfterWithdrawal(SlabT* slab) { Place(slab); }

  // Calls visit(SlabT*) for slabs with free and used blocks, until it returns
  // false. It must not change which list a slab is in.
  template <typename Visit>
  void VisitPartial(Visit&& visit) const {
    for (const IntrusiveList<Slab>& list : partial_) {
      for (Slab* slab = list.front(); slab != nullptr; slab = list.Next(slab)) {
        if (!visit(static_cast<SlabT*>(slab))) return;
      }
    }
  }

  // Checks the invariants (heap_verifier.h), and that all slabs of `size_class`
  // counted in `tally` are where they belong.
  [[gnu::cold]] void VerifyInvariants(
      SizeClass size_class, const SlabTally& tally,
      HeapVerifier& check) const;  // slab_pool_check.h

  // Removes and returns the spare slab if it was unused since the last call, or
  // with `force`; else null.
  SlabT* TakeOldSpare(bool force) {
    // Writes nothing if there is no spare: most pages of an unused heap are not
    // resident.
    if (spare_ == nullptr) return nullptr;
    const bool is_old = std::exchange(spare_is_old_, true);
    return force || is_old ? std::exchange(spare_, nullptr) : nullptr;
  }

 private:
  static constexpr int kMostLookedAt = 8;  // slabs, by TakeWholeLines
  static constexpr uint8_t kNoBucket = 0;  // else 1 + index into partial_

  void SetSpare(SlabT* slab) {
    spare_ = slab;
    spare_is_old_ = false;
  }

  SlabT* Fullest() {
    if (buckets_in_use_ != 0) {
      return static_cast<SlabT*>(
          partial_[std::countr_zero(buckets_in_use_)].front());
    }
    return spare_;
  }

  // The bucket of a slab that is not empty.
  static uint8_t BucketOf(const Slab& slab) {
    return slab.IsFull() ? kNoBucket
                         : static_cast<uint8_t>(1 + slab.FreeEighths());
  }

  // Moves a slab that is not empty to its list.
  void Place(SlabT* slab) {
    if (slab == spare_) spare_ = nullptr;
    const uint8_t bucket = BucketOf(*slab);
    if (bucket == slab->bucket) return;
    Unlist(slab);
    slab->bucket = bucket;
    if (bucket == kNoBucket) return;
    partial_[bucket - 1].PushFront(slab);
    buckets_in_use_ |= 1u << (bucket - 1);
  }

  void Unlist(SlabT* slab) {
    if (slab->bucket == kNoBucket) return;
    const uint8_t list = static_cast<uint8_t>(slab->bucket - 1);
    partial_[list].Remove(slab);
    if (partial_[list].empty()) buckets_in_use_ &= ~(1u << list);
    slab->bucket = kNoBucket;
  }

  IntrusiveList<Slab> partial_[kBuckets];
  uint32_t buckets_in_use_ = 0;
  SlabT* spare_ = nullptr;
  bool spare_is_old_ = false;
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SLABS_SLAB_POOL_H_
