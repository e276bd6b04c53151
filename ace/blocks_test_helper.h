// Allocates and frees blocks that no class serves, as the allocator does with
// ACE (frontend/dispatch/allocator.cc), for tests that work with addresses.
#ifndef HAKMEM_ACE_BLOCKS_TEST_HELPER_H_
#define HAKMEM_ACE_BLOCKS_TEST_HELPER_H_

#include <cstddef>
#include <cstdint>

#include "ace/ace.h"
#include "backend/memory/pagemap_entry.h"

namespace hakmem {

inline constexpr size_t kKiB = 1024;
inline constexpr size_t kMiB = size_t{1} << 20;
inline constexpr auto kAny = Ace::Contents::kAny;

inline char* At(uintptr_t address) { return reinterpret_cast<char*>(address); }

inline SpanAllocation AllocateBlock(size_t bytes, size_t alignment,
                                    Ace::Contents contents,
                                    ThreadSpanCache* bins) {
  return Ace::IsLarge(bytes, alignment)
             ? Ace::AllocateLarge(bytes, alignment, contents)
             : Ace::AllocateSpan(bytes, alignment, bins);
}

inline size_t BlockBytesAt(uintptr_t address) {
  return Ace::BytesAt(PagemapEntry::At(address));
}

inline void FreeBlock(uintptr_t address, ThreadSpanCache* bins) {
  Ace::Free(PagemapEntry::At(address), bins);
}

inline uintptr_t ResizeBlock(uintptr_t address, size_t bytes) {
  return Ace::Resize(PagemapEntry::At(address), bytes).address;
}

}  // namespace hakmem

#endif  // HAKMEM_ACE_BLOCKS_TEST_HELPER_H_
