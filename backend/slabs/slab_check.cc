#include "backend/slabs/slab_check.h"

#include <bit>

namespace hakmem {

void CheckSlab(const Slab& slab, HeapVerifier& check) {
  const uintptr_t at = slab.base;
  Slab fresh;
  fresh.base = slab.base;
  fresh.Begin(slab.size_class);
  if (!check.Require(slab.block_bytes == fresh.block_bytes &&
                         slab.reciprocal == fresh.reciprocal &&
                         slab.block_count == fresh.block_count,
                     "a slab's blocks are not those of its class", at)) {
    return;
  }
  uint32_t free = 0;
  uint32_t first_free_word = slab.words();
  uint32_t used_end = 0;  // after the last used block
  for (uint32_t word = slab.words(); word-- > 0;) {
    const uint64_t bits = slab.free_bits[word];
    const uint64_t valid = fresh.free_bits[word];
    check.Require((bits & ~valid) == 0, "a slab has free blocks beyond its end",
                  at);
    free += static_cast<uint32_t>(std::popcount(bits));
    if (bits != 0) first_free_word = word;
    const uint64_t used = valid & ~bits;
    if (used != 0 && used_end == 0) {
      used_end = word * 64 + static_cast<uint32_t>(std::bit_width(used));
    }
  }
  check.RequireEqual(slab.free_count, free,
                     "wrong count of a slab's free blocks", at);
  check.Require(slab.scan_word < slab.words() &&
                    (free == 0 || slab.scan_word <= first_free_word),
                "a slab has free blocks before its scan word", at);
  check.Require(slab.touched_bytes <= kSlabBytes,
                "a slab is touched beyond its end", at);
  // Blocks that are being purged count as used, though nobody holds them.
  check.RequireAtRest(used_end * slab.block_bytes <= slab.touched_bytes,
                      "a slab's block in use lies where nothing was touched",
                      at);
  check.Require((slab.purged_pages & slab.idle_pages) == 0,
                "a slab's page is purged and resident", at);
  // Pages behind the last block may be purged since the slab was of another
  // class.
  const size_t page = os::PageBytes();
  const size_t block_pages =
      (size_t{slab.block_count} * slab.block_bytes + page - 1) / page;
  const uint32_t may_be = slab.FreePages() | ~uint32_t{0} << block_pages;
  check.RequireAtRest(
      ((slab.purged_pages | slab.idle_pages) & ~may_be) == 0,
      "a slab's page is purged or idle, but a block there is in use", at);
}

}  // namespace hakmem
