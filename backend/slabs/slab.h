// Slab: 64 KiB of blocks of one size class, and its metadata.
//
//   memory     │ block 0 │ block 1 │ block 2 │ …        (the program's)
//   metadata   free_bits  1         0         1   …     (out of line)
//
// One bit per block says whether it is free. So the metadata never lies in
// memory that the program can overwrite, a free block is never touched, blocks
// are handed out in address order, and a double free is detected exactly.
//
// Invariants, under the owner's lock:
//   free_count == number of set bits in free_bits
//   no set bit below word `scan_word`
//   blocks at or beyond touched_bytes have never been handed out since the
//   slab's memory last was fresh or purged
//   a page of purged_pages or idle_pages lies in free blocks only
//
// The memory of a slab in use is purged page by page (inner_purge.h):
//
//   blocks    │ used │ free │ free │ free │ free │ free │ used │
//   pages     ■■■■■■■■■│─────────│─────────│─────────│■■■■■■■■■│
//             ■ resident   ─ purged: whole pages of free blocks
//
// In hardened builds (hardening/levels.h) used blocks are marked when they are
// freed, the last page is an inaccessible guard page without blocks, and blocks
// are handed out in random order.
//
// Not thread-safe: guarded by the owning back-end's lock.
#ifndef HAKMEM_BACKEND_SLABS_SLAB_H_
#define HAKMEM_BACKEND_SLABS_SLAB_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "backend/errors/error_reporting.h"
#include "backend/memory/chunk.h"
#include "backend/memory/dirty_bytes.h"
#include "base/intrusive_list.h"
#include "base/os/os_memory.h"
#include "base/size_classes.h"
#include "hardening/block_origins.h"
#include "hardening/levels.h"
#include "hardening/secret.h"
#include "hardening/used_blocks.h"

namespace hakmem {

inline constexpr int kSlabShift = 16;
inline constexpr size_t kSlabBytes = size_t{1} << kSlabShift;
inline constexpr size_t kSlabsPerChunk = kChunkBytes / kSlabBytes;
inline constexpr size_t kSlabGuardBytes = kGuardsMemory ? 4096 : 0;
// The part that holds blocks.
inline constexpr size_t kSlabUsableBytes = kSlabBytes - kSlabGuardBytes;
inline constexpr size_t kCacheLineBytes = 64;
inline constexpr size_t kMaxSlabBlocks = kSlabBytes / kBlockAlignment;

struct IdleSlabsTag {};

struct Slab : ListNode<Slab>, ListNode<Slab, IdleSlabsTag> {
  uintptr_t base;  // 0 until the chunk is first cut
  uint32_t block_bytes;
  uint32_t reciprocal;  // ceil(2^32 / block_bytes)
  uint16_t block_count;
  uint16_t free_count;
  uint16_t scan_word;
  SizeClass size_class;  // kNone while the slab is free
  uint8_t bucket;        // for SlabPool: which list the slab is in
  uint32_t touched_bytes;
  uint32_t eighths_per_block;  // for FreeEighths: 2^28 * 8 / (block_count + 1)
  // A bit per system page. Those not resident, though touched; and others that
  // have been free since `idle_since`.
  uint16_t purged_pages;
  uint16_t idle_pages;
  uint8_t idle_queue;  // for IdleSlabs: which queue the slab is in, or 0
  uint64_t free_bits[kMaxSlabBlocks / 64];
  uint64_t freed_at;    // CoarseMilliseconds, while the slab is free
  uint64_t idle_since;  // CoarseMilliseconds, while in use
  [[no_unique_address]] UsedBlocks<kMaxSlabBlocks> used;
  // A block's holder changes the block's own entry without the slab's lock.
  [[no_unique_address]] mutable BlockOrigins<kMaxSlabBlocks> origins;

  static constexpr uint32_t kNotABlock = UINT32_MAX;

  bool IsFull() const { return free_count == 0; }
  bool IsEmpty() const { return free_count == block_count; }
  uint32_t words() const { return (block_count + 63u) / 64; }

  SlabLayout Layout() const { return {base, block_bytes, block_count}; }

  // Makes it an empty slab of `size_class`: all blocks are free.
  void Begin(SizeClass new_class) {
    size_class = new_class;
    block_bytes = ClassBytes(new_class);
    reciprocal = static_cast<uint32_t>(((uint64_t{1} << 32) + block_bytes - 1) /
                                       block_bytes);
    block_count = static_cast<uint16_t>(kSlabUsableBytes / block_bytes);
    free_count = block_count;
    eighths_per_block =
        ((8u << kEighthsShift) + block_count) / (block_count + 1u);
    scan_word = 0;
    std::fill_n(free_bits, block_count / 64, ~uint64_t{0});
    if (block_count % 64 != 0) {
      free_bits[block_count / 64] = (uint64_t{1} << (block_count % 64)) - 1;
    }
    used.Clear();
  }

  // The index of the block that starts at `address`; kNotABlock if none does.
  // Exact for every address: the reciprocal's error stays below one block for
  // offsets below 2^16 (slab_test tries them all).
  uint32_t BlockAt(uintptr_t address) const {
    const uintptr_t offset = address - base;
    if (offset >= kSlabBytes) return kNotABlock;
    const uint32_t block = BlockAround(offset);
    return block * uintptr_t{block_bytes} == offset && block < block_count
               ? block
               : kNotABlock;
  }

  // The number of the block that the byte at `offset` belongs to, or would if
  // the slab had more blocks.
  uint32_t BlockAround(size_t offset) const {
    return static_cast<uint32_t>((offset * uint64_t{reciprocal}) >> 32);
  }

  // How full it is: free_count * 8 / (block_count + 1), without a division.
  // Exact for every count (slab_test tries them all).
  uint32_t FreeEighths() const {
    return static_cast<uint32_t>(free_count * uint64_t{eighths_per_block} >>
                                 kEighthsShift);
  }

  bool IsBlockFree(uint32_t block) const {
    return (free_bits[block / 64] >> (block % 64) & 1) != 0;
  }

  // Takes up to `count` blocks, lowest addresses first, into out[count-1]
  // downwards, so that a stack popped from its end yields ascending addresses.
  // Returns how many.
  uint32_t Take(void** out, uint32_t count) {
    count = std::min<uint32_t>(count, free_count);
    if (count == 0) return 0;
    if constexpr (kShufflesBlocks) return TakeShuffled(out, count);
    void** next = out + count;
    uint32_t word = scan_word;
    uint32_t block = 0;
    for (;;) {
      uint64_t bits = free_bits[word];
      if (bits == 0) {
        ++word;
        continue;
      }
      if (const uint32_t run = RunAlone(bits); run != 0) {
        block = word * 64 + static_cast<uint32_t>(std::countr_zero(bits));
        const uint32_t n = std::min(run, static_cast<uint32_t>(next - out));
        bits = n == run ? 0 : bits & (bits << n);
        next = HandOutRun(next, block, n);
        block += n - 1;
      } else {
        do {
          block = word * 64 + static_cast<uint32_t>(std::countr_zero(bits));
          bits &= bits - 1;
          *--next = HandOut(block);
        } while (bits != 0 && next != out);
      }
      free_bits[word] = bits;
      if (next == out) break;
    }
    scan_word = static_cast<uint16_t>(word);
    free_count = static_cast<uint16_t>(free_count - count);
    touched_bytes = std::max(touched_bytes, (block + 1) * block_bytes);
    if ((purged_pages | idle_pages) != 0) [[unlikely]] {
      // All free blocks between the first and the last were taken.
      NotePagesTaken(reinterpret_cast<uintptr_t>(out[count - 1]) - base,
                     (block + 1) * size_t{block_bytes});
    }
    return count;
  }

  // The same in random order; `count` is at most free_count.
  uint32_t TakeShuffled(void** out, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t block =
          FreeBlockFrom(static_cast<uint32_t>(Secret::Random() % block_count));
      free_bits[block / 64] &= ~(uint64_t{1} << (block % 64));
      out[i] = HandOut(block);
      const uint32_t end = (block + 1) * block_bytes;
      touched_bytes = std::max(touched_bytes, end);
      NotePagesTaken(end - block_bytes, end);
    }
    free_count = static_cast<uint16_t>(free_count - count);
    scan_word = 0;
    return count;
  }

  // The same for blocks that together fill whole cache lines, `count` rounded
  // down to as many. Only for blocks smaller than a line.
  uint32_t TakeWholeLines(void** out, uint32_t count) {
    const uint32_t group =
        kCacheLineBytes / std::gcd(kCacheLineBytes, size_t{block_bytes});
    const uint64_t every_group = ~uint64_t{0} / ((uint64_t{1} << group) - 1);
    uint32_t left = count - count % group;
    void** next = out + left;
    for (uint32_t word = scan_word; word < words() && left != 0; ++word) {
      uint64_t whole = free_bits[word] & every_group;
      for (uint32_t i = 1; i < group; ++i) whole &= free_bits[word] >> i;
      for (; whole != 0 && left != 0; whole &= whole - 1, left -= group) {
        const auto first = static_cast<uint32_t>(std::countr_zero(whole));
        free_bits[word] &= ~(((uint64_t{1} << group) - 1) << first);
        next = HandOutRun(next, word * 64 + first, group);
        const uint32_t end = (word * 64 + first + group) * block_bytes;
        touched_bytes = std::max(touched_bytes, end);
        if ((purged_pages | idle_pages) != 0) [[unlikely]] {
          NotePagesTaken(end - group * size_t{block_bytes}, end);
        }
      }
    }
    const auto taken = static_cast<uint32_t>(count - count % group - left);
    std::copy(next, next + taken, out);
    free_count = static_cast<uint16_t>(free_count - taken);
    return taken;
  }

  // Prefetches what freeing `block` touches.
  void PrefetchForFree(uint32_t block) const {
    __builtin_prefetch(this, 1);
    __builtin_prefetch(&free_bits[block / 64], 1);
  }

  // Frees `count` blocks. Returns how many it freed before the first one that
  // was free already.
  uint32_t PutRun(const uint16_t* blocks, uint32_t count) {
    uint32_t lowest = scan_word * 64u;
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t block = blocks[i];
      const uint64_t bit = uint64_t{1} << (block % 64);
      const uint64_t bits = free_bits[block / 64];
      if ((bits & bit) != 0) [[unlikely]]
        return i;
      free_bits[block / 64] = bits | bit;
      lowest = std::min(lowest, block);
    }
    scan_word = static_cast<uint16_t>(lowest / 64);
    free_count = static_cast<uint16_t>(free_count + count);
    return count;
  }

  // Frees one block. Returns false if it was free already.
  bool Put(uint32_t block) {
    const auto one = static_cast<uint16_t>(block);
    return PutRun(&one, 1) == 1;
  }

  // Frees the blocks `bits` of one word. Returns those of them that were free
  // already; if there are any, it changes nothing.
  uint64_t PutWord(uint32_t word, uint64_t bits) {
    const uint64_t twice = free_bits[word] & bits;
    if (twice != 0) return twice;
    free_bits[word] |= bits;
    scan_word = std::min<uint16_t>(scan_word, static_cast<uint16_t>(word));
    free_count = static_cast<uint16_t>(free_count + std::popcount(bits));
    return 0;
  }

  // The touched pages of which every block is free: a bit for each.
  uint32_t FreePages() const {
    const size_t page = os::PageBytes();
    uint32_t pages = 0;
    uint32_t bit = 1;
    for (size_t start = 0; start < touched_bytes; start += page, bit <<= 1) {
      const BlockRange blocks = BlocksOn(start, start + page);
      if (blocks.first < blocks.end && AreFree(blocks)) pages |= bit;
    }
    return pages;
  }

  void SetIdlePages(uint32_t pages) {
    DirtyBytes::AddIdle((std::popcount(pages) - std::popcount(idle_pages)) *
                        static_cast<int64_t>(os::PageBytes()));
    idle_pages = static_cast<uint16_t>(pages);
  }

  // Call before the free pages `pages` are purged: takes out the blocks that
  // lie there, also in part, as if they were in use.
  void WithdrawPages(uint32_t pages) {
    ForEachBlockRange(pages, [this](BlockRange range) {
      ForEachWord(range, [this](uint32_t word, uint64_t bits) {
        free_count = static_cast<uint16_t>(
            free_count - std::popcount(free_bits[word] & bits));
        free_bits[word] &= ~bits;
      });
    });
  }

  // Undoes that. Returns a block that was freed meanwhile, though it was free;
  // kNotABlock if all is well.
  uint32_t PutBackPages(uint32_t pages, bool is_purged) {
    uint32_t twice = kNotABlock;
    ForEachBlockRange(pages, [&](BlockRange range) {
      used.Clear(range.first, range.end);
      ForEachWord(range, [&](uint32_t word, uint64_t bits) {
        if (const uint64_t freed = PutWord(word, bits); freed != 0) {
          twice = word * 64 + static_cast<uint32_t>(std::countr_zero(freed));
        }
      });
    });
    if (is_purged) purged_pages = static_cast<uint16_t>(purged_pages | pages);
    return twice;
  }

  // Calls visit(address, bytes) for each run of `pages`.
  template <typename Visit>
  void ForEachPageRun(uint32_t pages, Visit&& visit) const {
    const size_t page = os::PageBytes();
    while (pages != 0) {
      const int first = std::countr_zero(pages);
      const int count = std::countr_one(pages >> first);
      pages &= pages + (uint32_t{1} << first);
      visit(base + static_cast<size_t>(first) * page,
            static_cast<size_t>(count) * page);
    }
  }

 private:
  static constexpr int kEighthsShift = 28;

  // Blocks [first, end).
  struct BlockRange {
    uint32_t first;
    uint32_t end;
  };

  // Those that lie in bytes [begin, end) of the slab, also in part.
  BlockRange BlocksOn(size_t begin, size_t end) const {
    return {BlockAround(begin),
            std::min<uint32_t>(BlockAround(end - 1) + 1, block_count)};
  }

  // Calls visit(word, bits of the range in that word) for its words.
  template <typename Visit>
  static void ForEachWord(BlockRange range, Visit&& visit) {
    for (uint32_t word = range.first / 64; word * 64 < range.end; ++word) {
      uint64_t bits = ~uint64_t{0};
      if (word == range.first / 64) bits <<= range.first % 64;
      if (word == range.end / 64) bits &= (uint64_t{1} << range.end % 64) - 1;
      visit(word, bits);
    }
  }

  bool AreFree(BlockRange range) const {
    uint64_t used_bits = 0;
    ForEachWord(range, [&](uint32_t word, uint64_t bits) {
      used_bits |= bits & ~free_bits[word];
    });
    return used_bits == 0;
  }

  // Calls visit for the blocks on `pages`, for none of them twice.
  template <typename Visit>
  void ForEachBlockRange(uint32_t pages, Visit&& visit) const {
    uint32_t end = 0;
    ForEachPageRun(pages, [&](uintptr_t address, size_t bytes) {
      BlockRange range = BlocksOn(address - base, address - base + bytes);
      range.first = std::max(range.first, end);
      end = range.end;
      if (range.first < end) visit(range);
    });
  }

  // Call when blocks in bytes [begin, end) of the slab are handed out.
  void NotePagesTaken(size_t begin, size_t end) {
    const int shift = std::countr_zero(os::PageBytes());
    const uint32_t taken = (uint32_t{2} << ((end - 1) >> shift)) -
                           (uint32_t{1} << (begin >> shift));
    purged_pages = static_cast<uint16_t>(purged_pages & ~taken);
    if ((idle_pages & taken) != 0) SetIdlePages(idle_pages & ~taken);
  }

  // The number of set bits if they are neighbours, as in a slab that was not
  // used before; else 0.
  static uint32_t RunAlone(uint64_t bits) {
    const uint64_t above = bits + (bits & -bits);  // 0 if the run ends the word
    if ((bits & above) != 0) return 0;
    return static_cast<uint32_t>(std::countr_zero(above) -
                                 std::countr_zero(bits));
  }

  // Hands out `count` neighbours from `block` on, into the slots below `next`,
  // downwards. Returns the last slot.
  void** HandOutRun(void** next, uint32_t block, uint32_t count) {
    if constexpr (kMarksFreed) {
      for (uint32_t i = 0; i < count; ++i) *--next = HandOut(block + i);
      return next;
    }
    uintptr_t address = base + block * uintptr_t{block_bytes};
    for (uint32_t i = 0; i < count; ++i) {
      *--next = reinterpret_cast<void*>(address);
      address += block_bytes;
    }
    return next;
  }

  void* HandOut(uint32_t block) {
    void* memory =
        reinterpret_cast<void*>(base + block * uintptr_t{block_bytes});
    used.HandOut(block, memory);
    return memory;
  }

  // The first free block from `block` on, wrapping around. There must be one.
  uint32_t FreeBlockFrom(uint32_t block) const {
    uint32_t word = block / 64;
    uint64_t bits = free_bits[word] & (~uint64_t{0} << (block % 64));
    while (bits == 0) {
      word = word + 1 < words() ? word + 1 : 0;
      bits = free_bits[word];
    }
    return word * 64 + static_cast<uint32_t>(std::countr_zero(bits));
  }
};

// Aborts with one line: no block in use of `slab` starts at `address`. Out of
// line, so that its callers need no room for the layout.
[[noreturn, gnu::cold, gnu::noinline]] inline void AbortOnBadFreeIn(
    const Slab& slab, uintptr_t address) {
  AbortOnBadSlabFree(slab.Layout(), address);
}

// Resident bytes of a slab's memory, in whole pages.
inline size_t TouchedPageBytes(const Slab& slab) {
  const size_t page = os::PageBytes();
  return ((slab.touched_bytes + page - 1) & ~(page - 1)) -
         static_cast<size_t>(std::popcount(slab.purged_pages)) * page;
}

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SLABS_SLAB_H_
