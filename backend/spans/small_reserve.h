// The small reserve: blocks for when the OS refuses memory.
//
//   memory    │ class 1 │ class 2 │ … │ 2048 │ 2304 │ … │ 8192 │    .bss
//   used      one word of bits for each class
//
// A program that was refused memory often needs a little more to handle that: a
// message, an exception, a write buffer. So each class up to 8 KiB has one page
// here, or the pages of one block. Classes do not share, so a program that used
// up one size can still allocate the others. Freed blocks serve the next
// refusal.
//
// The memory is the library's own .bss, so no limit can refuse it, and it is
// not resident until used. The blocks are in no slab: the pagemap has neither a
// class nor anything else for them.
//
// Thread-safe without locks: whoever takes a block sets its bit; whoever frees
// it clears the bit.
#ifndef HAKMEM_BACKEND_SPANS_SMALL_RESERVE_H_
#define HAKMEM_BACKEND_SPANS_SMALL_RESERVE_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/size_classes.h"

namespace hakmem {

namespace internal {

inline constexpr size_t kReservePage = 4096;
inline constexpr size_t kMaxReserveBytes = 8192;
inline constexpr size_t kReserveClasses = Index(ClassOf(kMaxReserveBytes)) + 1;

struct ReserveLayout {
  std::array<uint32_t, kReserveClasses> first{};  // offset of the first block
  std::array<uint8_t, kReserveClasses> count{};   // blocks: at most 64 bits
  size_t bytes = 0;
};

constexpr ReserveLayout MakeReserveLayout() {
  ReserveLayout layout;
  for (size_t c = 1; c < kReserveClasses; ++c) {
    const size_t block = ClassBytes(SizeClass{static_cast<uint8_t>(c)});
    const size_t bytes = (block + kReservePage - 1) & -kReservePage;
    layout.first[c] = static_cast<uint32_t>(layout.bytes);
    layout.count[c] = static_cast<uint8_t>(std::min<size_t>(bytes / block, 64));
    layout.bytes += bytes;
  }
  return layout;
}

}  // namespace internal

class SmallReserve {
 public:
  static constexpr size_t kMaxBytes = internal::kMaxReserveBytes;

  // A block of at least `bytes`, aligned to `alignment` (a power of two, or 0
  // for the default), with any contents. Null when the class has no more or no
  // class fits.
  static void* Allocate(size_t bytes, size_t alignment);

  // Whether `address`, any number, lies in the reserve.
  static bool Owns(uintptr_t address) {
    return address - reinterpret_cast<uintptr_t>(memory_) < kLayout.bytes;
  }

  // For an address in the reserve: usable bytes of the block in use that starts
  // there; 0 when there is none.
  static size_t BytesAt(uintptr_t address);

  // Frees the block at `address`. Returns false, and does nothing, when no
  // block in use starts there.
  static bool Free(uintptr_t address);

  // Bytes of the block around `address`, used or not, and where it starts.
  struct Place {
    uintptr_t start;
    size_t bytes;
  };
  static Place PlaceOf(uintptr_t address);

 private:
  static constexpr internal::ReserveLayout kLayout =
      internal::MakeReserveLayout();

  struct Block {
    size_t size_class;
    uint32_t number;  // kNoBlock: after the class's last one
    size_t offset;    // of `address` in it
  };
  static constexpr uint32_t kNoBlock = UINT32_MAX;
  static Block BlockAround(uintptr_t address);

  alignas(internal::kReservePage) static char memory_[kLayout.bytes];
  static std::atomic<uint64_t> used_[internal::kReserveClasses];
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_SPANS_SMALL_RESERVE_H_
