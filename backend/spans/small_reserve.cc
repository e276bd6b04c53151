#include "backend/spans/small_reserve.h"

namespace hakmem {

using internal::kReserveClasses;
using internal::kReservePage;

alignas(kReservePage) constinit char SmallReserve::memory_[SmallReserve::kLayout
                                                               .bytes]{};
constinit std::atomic<uint64_t> SmallReserve::used_[kReserveClasses]{};

void* SmallReserve::Allocate(size_t bytes, size_t alignment) {
  alignment = std::max(alignment, kBlockAlignment);
  if (bytes > kMaxBytes || alignment > kReservePage) return nullptr;
  const size_t c = Index(AlignedClassOf(bytes, alignment));
  if (c == 0 || c >= kReserveClasses) return nullptr;
  uint64_t used = used_[c].load(std::memory_order_relaxed);
  for (;;) {
    const auto block = static_cast<size_t>(std::countr_one(used));
    if (block >= kLayout.count[c]) return nullptr;
    // acquire: pairs with the release in Free; the last holder's writes come
    // before the next one's.
    if (used_[c].compare_exchange_weak(used, used | uint64_t{1} << block,
                                       std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
      return memory_ + kLayout.first[c] +
             block * ClassBytes(SizeClass{static_cast<uint8_t>(c)});
    }
  }
}

SmallReserve::Block SmallReserve::BlockAround(uintptr_t address) {
  const size_t offset = address - reinterpret_cast<uintptr_t>(memory_);
  const auto above =
      std::upper_bound(kLayout.first.begin() + 1, kLayout.first.end(), offset);
  const auto c = static_cast<size_t>(above - kLayout.first.begin()) - 1;
  const size_t bytes = ClassBytes(SizeClass{static_cast<uint8_t>(c)});
  const size_t number = (offset - kLayout.first[c]) / bytes;
  return {c,
          number < kLayout.count[c] ? static_cast<uint32_t>(number) : kNoBlock,
          (offset - kLayout.first[c]) % bytes};
}

size_t SmallReserve::BytesAt(uintptr_t address) {
  const Block block = BlockAround(address);
  if (block.number == kNoBlock || block.offset != 0) return 0;
  // relaxed: anyone with a block's address got it after the bit was set.
  const uint64_t used = used_[block.size_class].load(std::memory_order_relaxed);
  if ((used >> block.number & 1) == 0) return 0;
  return ClassBytes(SizeClass{static_cast<uint8_t>(block.size_class)});
}

bool SmallReserve::Free(uintptr_t address) {
  const Block block = BlockAround(address);
  if (block.number == kNoBlock || block.offset != 0) return false;
  const uint64_t bit = uint64_t{1} << block.number;
  std::atomic<uint64_t>& word = used_[block.size_class];
  uint64_t used = word.load(std::memory_order_relaxed);
  do {
    if ((used & bit) == 0) return false;
    // release: pairs with the acquire in Allocate.
  } while (!word.compare_exchange_weak(
      used, used & ~bit, std::memory_order_release, std::memory_order_relaxed));
  return true;
}

SmallReserve::Place SmallReserve::PlaceOf(uintptr_t address) {
  const Block block = BlockAround(address);
  if (block.number == kNoBlock) return {address, 0};
  return {address - block.offset,
          ClassBytes(SizeClass{static_cast<uint8_t>(block.size_class)})};
}

}  // namespace hakmem
