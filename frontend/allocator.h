// The allocator: what all of malloc, operator new and hakmem_* are made of.
//
// The two functions that matter for speed are inline here: a malloc that finds
// a block in its bin, and a free that finds room. Everything else is behind one
// call each (allocator.cc), made as the last act, so the hot path saves no
// registers.
//
// Thread-safe. Failure is null; errno is the callers' to set (FailWith).
#ifndef HAKMEM_FRONTEND_ALLOCATOR_H_
#define HAKMEM_FRONTEND_ALLOCATOR_H_

#include <cstddef>
#include <cstdint>

#include "backend/address_map.h"
#include "base/size_classes.h"
#include "frontend/bins.h"

namespace hakmem {

// What Allocate does when the thread's bin is empty or the size above tiny.
void* AllocateSlow(size_t bytes);

// What Free does when the bin takes no more, or `block` lies in no slab: null,
// a span, a large block, or an address that is not ours.
void FreeSlow(void* block);

// A block of at least `bytes`, 16-aligned. Null, with errno ENOMEM, when
// `bytes` is above PTRDIFF_MAX or the OS refuses memory.
inline void* Allocate(size_t bytes) {
  if (bytes <= kMaxTinyBytes) [[likely]] {
    void* block = thread_bins->Pop(ClassOf(bytes));
    if (block != nullptr) [[likely]]
      return block;
  }
  return AllocateSlow(bytes);
}

// Takes back `block`, from any function here, or null. Keeps errno. Aborts with
// one line when `block` is not a block in use, as far as can be told.
inline void Free(void* block) {
  const auto address = reinterpret_cast<uintptr_t>(block);
  if (!AddressMap::IsUserAddress(address) ||
      !thread_bins->Push(AddressMap::ClassAt(address), block)) [[unlikely]] {
    FreeSlow(block);
  }
}

// As Allocate, zeroed.
void* AllocateZeroed(size_t bytes);

// As Allocate, aligned to `alignment`, a power of two.
void* AllocateAligned(size_t alignment, size_t bytes);

// Makes `block` at least `bytes` (not 0) long, keeping its contents; it may
// move. Null on failure, with errno ENOMEM; then `block` is as it was.
void* Reallocate(void* block, size_t bytes);

// Bytes that may be used in `block`; 0 for null. Aborts with one line when
// `block` is not a block in use, as far as can be told.
size_t UsableBytes(const void* block);

// Returns what is free to the OS, this thread's bins included. Returns bytes.
size_t CollectAll();

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_ALLOCATOR_H_
