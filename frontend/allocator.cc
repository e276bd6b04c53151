#include "frontend/allocator.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "backend/bad_free.h"
#include "backend/span_source.h"
#include "base/clock.h"
#include "frontend/housekeeping.h"
#include "frontend/thread_cache.h"
#include "linked_backend.h"

namespace hakmem {
namespace {

// No object may be larger: pointer differences in it would overflow.
constexpr size_t kMaxBytes = PTRDIFF_MAX;

uintptr_t AddressOf(const void* block) {
  return reinterpret_cast<uintptr_t>(block);
}

// The class of any address at all; kNone outside slabs.
SizeClass ClassAt(uintptr_t address) {
  return AddressMap::IsUserAddress(address) ? AddressMap::ClassAt(address)
                                            : SizeClass::kNone;
}

// Runs `allocate`, which returns something false on failure. When it fails, all
// that is free goes back to the OS and it is run once more. Sets errno.
template <typename Allocate>
auto WithRetry(Allocate&& allocate) {
  auto result = allocate();
  if (result) [[likely]]
    return result;
  CollectAll();
  result = allocate();
  if (!result) errno = ENOMEM;
  return result;
}

void* AllocateFromClass(SizeClass c) {
  return WithRetry([c] { return ThreadCache::Allocate(c); });
}

SpanAllocation AllocateSpan(size_t bytes, size_t alignment) {
  if (bytes > kMaxBytes || alignment > kMaxBytes) {
    errno = ENOMEM;
    return {};
  }
  ThreadCache::Tick();
  return WithRetry([=] { return SpanSource::Allocate(bytes, alignment); });
}

void* PointerTo(const SpanAllocation& span) {
  return reinterpret_cast<void*>(span.address);
}

void FreeSpan(uintptr_t address) {
  ThreadCache::Tick();
  SpanSource::Free(address, CoarseMilliseconds());
}

// Whether a block of `usable` bytes may stay where it is for a request of
// `bytes`: it fits, and at most half of it, or one unit, would be unused.
bool StaysInPlace(size_t usable, size_t bytes) {
  return bytes <= usable &&
         usable - bytes <= std::max(usable / 2, kBlockAlignment);
}

}  // namespace

void* AllocateSlow(size_t bytes) {
  if (bytes <= kMaxTinyBytes) return AllocateFromClass(ClassOf(bytes));
  return PointerTo(AllocateSpan(bytes, kBlockAlignment));
}

void FreeSlow(void* block) {
  if (block == nullptr) return;
  const SizeClass c = ClassAt(AddressOf(block));
  if (c == SizeClass::kNone) return FreeSpan(AddressOf(block));
  ThreadCache::Free(c, block);
}

void* AllocateZeroed(size_t bytes) {
  if (bytes <= kMaxTinyBytes) {
    void* block = Allocate(bytes);
    return block == nullptr ? nullptr : memset(block, 0, bytes);
  }
  const SpanAllocation span = AllocateSpan(bytes, kBlockAlignment);
  if (span && !span.is_zero) memset(PointerTo(span), 0, bytes);
  return PointerTo(span);
}

void* AllocateAligned(size_t alignment, size_t bytes) {
  if (alignment <= kBlockAlignment) return Allocate(bytes);
  const SizeClass c = AlignedClassOf(bytes, alignment);
  if (c == SizeClass::kNone) return PointerTo(AllocateSpan(bytes, alignment));
  return Allocate(ClassBytes(c));
}

void* Reallocate(void* block, size_t bytes) {
  if (block == nullptr) return Allocate(bytes);
  const size_t usable = UsableBytes(block);
  if (StaysInPlace(usable, bytes)) return block;
  if (bytes > kMaxBytes) {
    errno = ENOMEM;
    return nullptr;
  }
  if (usable > kMaxTinyBytes && bytes > kMaxTinyBytes) {
    const uintptr_t resized =
        SpanSource::Resize(AddressOf(block), bytes, CoarseMilliseconds());
    if (resized != 0) return reinterpret_cast<void*>(resized);
  }
  void* moved = Allocate(bytes);
  if (moved == nullptr) {
    // A block that need not grow is better kept than lost.
    return bytes <= usable ? block : nullptr;
  }
  memcpy(moved, block, std::min(usable, bytes));
  Free(block);
  return moved;
}

size_t UsableBytes(const void* block) {
  if (block == nullptr) return 0;
  const uintptr_t address = AddressOf(block);
  const SizeClass c = ClassAt(address);
  if (c == SizeClass::kNone) {
    const size_t bytes = SpanSource::BytesAt(address);
    if (bytes == 0) SpanSource::AbortOnBadAddress(address);
    return bytes;
  }
  const Slab* slab = LinkedBackend::SlabAt(address);
  if (slab->BlockAt(address) == Slab::kNotABlock) {
    AbortOnBadSlabFree(*slab, address);
  }
  return ClassBytes(c);
}

size_t CollectAll() {
  ThreadCache::FlushThisThread();
  return CollectEverything();
}

}  // namespace hakmem
