// MidSlab: a slab of mid blocks that records which of them are purged.
//
//   blocks    │  used  │  free  │  free  │  used  │  free  │
//   pages     ■■■■■■■■■■────────────────■■■■■■■■■■■────────■
//             ■ resident   ─ purged: a whole page of free blocks only
//
// A mid slab holds 2 to 28 blocks. One of them in use must not keep the others'
// memory resident, so free blocks of slabs in use are purged too, in runs, as
// far as they cover whole pages. (Tiny blocks share pages; they are not
// purged.)
//
// Not thread-safe: guarded by the lock of its class pool.
#ifndef HAKMEM_ACE_MID_SLAB_H_
#define HAKMEM_ACE_MID_SLAB_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "backend/slabs/slab.h"
#include "base/os/os_memory.h"

namespace hakmem {

struct MidSlab : Slab {
  // Blocks span pages, so a program may leave most of a block untouched.
  static constexpr bool kHasLongBlocks = true;

  // Free blocks without a resident whole page since they were freed.
  // Meaningless for a block in use; cleared when the block is freed.
  uint64_t purged;
  // Blocks free since the generation began. In a slab in use some blocks are
  // allocated and freed while others lie idle: only ages distinguish them.
  uint64_t idle;
  uint64_t generation_begun;  // CoarseMilliseconds

  void Begin(SizeClass new_class) {
    Slab::Begin(new_class);
    purged = 0;
    idle = 0;
  }

  uint32_t PutRun(const uint16_t* blocks, uint32_t count) {
    uint64_t bits = 0;
    for (uint32_t i = 0; i < count; ++i) bits |= uint64_t{1} << blocks[i];
    purged &= ~bits;
    idle &= ~bits;
    return Slab::PutRun(blocks, count);
  }

  bool Put(uint32_t block) {
    const auto one = static_cast<uint16_t>(block);
    return PutRun(&one, 1) == 1;
  }

  uint64_t Unpurged() const { return free_bits[0] & ~purged; }

  // Free blocks to purge at `now`: those free for at least half the decay time,
  // all of them with `force`. Begins a new generation when it is due.
  uint64_t TakeDue(uint64_t now, uint64_t decay, bool force) {
    if (force) return Unpurged();
    if (now < generation_begun + decay / 2) return 0;
    const uint64_t due = Unpurged() & idle;
    idle = Unpurged();
    generation_begun = now;
    return due;
  }

  // `due` and the purged blocks next to them: a page that two blocks share can
  // only be purged with both.
  uint64_t WithPurgedBeside(uint64_t due) const {
    const uint64_t gone = free_bits[0] & purged;
    for (uint64_t before = 0; before != due;) {
      before = due;
      due |= (due << 1 | due >> 1) & gone;
    }
    return due;
  }

  // Calls visit(address, bytes) for the whole pages of `page_bytes` that runs
  // of `blocks` cover below the first `touched` bytes (touched_bytes, read
  // under the lock).
  template <typename Visit>
  void ForEachPageRun(uint64_t blocks, uint32_t touched, size_t page_bytes,
                      Visit&& visit) const {
    while (blocks != 0) {
      const int first = std::countr_zero(blocks);
      const int count = std::countr_one(blocks >> first);
      blocks &= ~(~uint64_t{0} >> (64 - count) << first);
      const uintptr_t start = base + size_t(first) * block_bytes;
      const uintptr_t end =
          base + std::min(size_t(first + count) * block_bytes, size_t{touched});
      const uintptr_t first_page = (start + page_bytes - 1) & -page_bytes;
      const uintptr_t end_page = end & -page_bytes;
      if (first_page < end_page) visit(first_page, end_page - first_page);
    }
  }
};

// Resident bytes of the slab, in whole system pages.
inline size_t TouchedPageBytes(const MidSlab& slab) {
  const size_t page = os::PageBytes();
  size_t bytes = (slab.touched_bytes + page - 1) & -page;
  if (slab.size_class == SizeClass::kNone) return bytes;
  slab.ForEachPageRun(slab.free_bits[0] & slab.purged, slab.touched_bytes, page,
                      [&](uintptr_t, size_t purged) { bytes -= purged; });
  return bytes;
}

}  // namespace hakmem

#endif  // HAKMEM_ACE_MID_SLAB_H_
