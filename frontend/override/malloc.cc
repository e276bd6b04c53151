// The malloc family, under its C names and as hakmem_*.
//
// Each function is defined once; the second name is an alias, so that the two
// cannot differ.

#include <malloc.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/os/os_memory.h"
#include "frontend/dispatch/allocator.h"
#include "frontend/dispatch/origins.h"
#include "hakmem/hakmem.h"

#define HAKMEM_ALIAS_OF(name) __attribute__((alias(#name)))

namespace {

using hakmem::AllocateAligned;
using hakmem::AllocateZeroed;
using hakmem::BlockCall;
using hakmem::Call;
using hakmem::CallOf;
using hakmem::kChecksFrees;
using hakmem::Reallocate;
using hakmem::ReallocateForArray;
using hakmem::RefuseImpossible;
using hakmem::SizedFreeHint;

// Wraps each block that is handed out.
[[gnu::always_inline]] inline void* FromMalloc(void* block) {
  return hakmem::WithOrigin(block, hakmem::Origin::kMalloc);
}

[[gnu::noinline]] void* MallocSlow(size_t size) {
  return FromMalloc(hakmem::AllocateSlow(size, CallOf(HAKMEM_ENTRY_MALLOC)));
}

[[gnu::noinline]] void FreeSlow(void* block) {
  hakmem::FreeSlow(block, CallOf(HAKMEM_ENTRY_NONE));
}

[[gnu::always_inline]] inline void Free(void* block) {
  if (!hakmem::PushToBins(block)) [[unlikely]] {
    FreeSlow(block);
  }
}

[[gnu::noinline]] void FreeSlowAs(void* block, BlockCall function) {
  hakmem::FreeSlow(block, CallOf(HAKMEM_ENTRY_NONE), function);
}

// Only hardened builds use what the caller says about the block, which may be
// null.
[[gnu::always_inline]] inline void FreeSized(void* block, SizedFreeHint hint,
                                             BlockCall function) {
  if constexpr (kChecksFrees) {
    hakmem::FreeSized(block, hint, function, CallOf(HAKMEM_ENTRY_NONE));
  } else if (!hakmem::PushToBins(block)) [[unlikely]] {
    FreeSlowAs(block, function);
  }
}

// The largest power of two.
constexpr size_t kGreatestAlignment = SIZE_MAX / 2 + 1;

// Like glibc's memalign: an alignment that is not a power of two is rounded up
// to the next one, and 0 means the default. Fails only when there is no next
// one.
void* AllocateRoundedAligned(size_t alignment, size_t size, Call call) {
  if (alignment > kGreatestAlignment) {
    return RefuseImpossible(size, alignment, EINVAL, call);
  }
  return FromMalloc(AllocateAligned(std::bit_ceil(alignment), size, call));
}

// Like glibc: realloc to 0 bytes frees and returns null.
[[gnu::noinline]] void* FreeForRealloc(void* block, Call call,
                                       BlockCall function) {
  if (!hakmem::PushToBins(block)) hakmem::FreeSlow(block, call, function);
  return nullptr;
}

void* ReallocateArray(void* block, size_t count, size_t size, Call call) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    return RefuseImpossible(SIZE_MAX, 0, ENOMEM, call);
  }
  if (bytes == 0 && block != nullptr) {
    return FreeForRealloc(block, call, BlockCall::kReallocarray);
  }
  return FromMalloc(ReallocateForArray(block, bytes, call));
}

}  // namespace

extern "C" {

HAKMEM_API void* malloc(size_t size) noexcept {
  void* block = hakmem::PopFromBins(size);
  return block != nullptr ? block : MallocSlow(size);
}

HAKMEM_API void free(void* block) noexcept { Free(block); }

HAKMEM_API void* calloc(size_t count, size_t size) noexcept {
  const Call call = CallOf(HAKMEM_ENTRY_CALLOC);
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    return RefuseImpossible(SIZE_MAX, 0, ENOMEM, call);
  }
  // memset last: a tail call saves no registers.
  void* block = hakmem::PopFromBins(bytes);
  return block != nullptr ? memset(block, 0, bytes)
                          : FromMalloc(AllocateZeroed(bytes, call));
}

HAKMEM_API void* realloc(void* block, size_t size) noexcept {
  const Call call = CallOf(HAKMEM_ENTRY_REALLOC);
  if (size == 0 && block != nullptr) {
    return FreeForRealloc(block, call, BlockCall::kRealloc);
  }
  return FromMalloc(Reallocate(block, size, call));
}

HAKMEM_API void* reallocarray(void* block, size_t count, size_t size) noexcept {
  return ReallocateArray(block, count, size, CallOf(HAKMEM_ENTRY_REALLOCARRAY));
}

HAKMEM_API void* memalign(size_t alignment, size_t size) noexcept {
  return AllocateRoundedAligned(alignment, size, CallOf(HAKMEM_ENTRY_MEMALIGN));
}

// C17 allows any size, and lets an alignment that is not a power of two fail;
// until 2.38 glibc's aligned_alloc is its memalign, and programs rely on that.
HAKMEM_API void* aligned_alloc(size_t alignment, size_t size) noexcept {
  return AllocateRoundedAligned(alignment, size,
                                CallOf(HAKMEM_ENTRY_ALIGNED_ALLOC));
}

// POSIX: returns the error; errno and, on failure, *block are untouched.
HAKMEM_API int posix_memalign(void** block, size_t alignment,
                              size_t size) noexcept {
  const Call call = CallOf(HAKMEM_ENTRY_POSIX_MEMALIGN);
  const int saved_errno = errno;
  void* result = nullptr;
  int error = 0;
  if (!std::has_single_bit(alignment) || alignment % sizeof(void*) != 0) {
    RefuseImpossible(size, alignment, EINVAL, call);
    error = EINVAL;
  } else {
    result = FromMalloc(AllocateAligned(alignment, size, call));
    error = result == nullptr ? ENOMEM : 0;
  }
  errno = saved_errno;
  if (error == 0) *block = result;
  return error;
}

HAKMEM_API void* valloc(size_t size) noexcept {
  return FromMalloc(AllocateAligned(hakmem::os::PageBytes(), size,
                                    CallOf(HAKMEM_ENTRY_VALLOC)));
}

HAKMEM_API void* pvalloc(size_t size) noexcept {
  const Call call = CallOf(HAKMEM_ENTRY_PVALLOC);
  const size_t page = hakmem::os::PageBytes();
  const size_t rounded = (size + page - 1) & ~(page - 1);
  if (rounded < size) return RefuseImpossible(size, page, ENOMEM, call);
  return FromMalloc(AllocateAligned(page, rounded == 0 ? page : rounded, call));
}

HAKMEM_API size_t malloc_usable_size(void* block) noexcept {
  return hakmem::UsableBytes(block);
}

// C23. Hardened builds compare the caller's size with the pagemap's.
HAKMEM_API void free_sized(void* block, size_t size) noexcept {
  FreeSized(block, {size, 0}, BlockCall::kFreeSized);
}

HAKMEM_API void free_aligned_sized(void* block, size_t alignment,
                                   size_t size) noexcept {
  // Rounded as aligned_alloc rounds.
  const size_t rounded =
      alignment > kGreatestAlignment ? alignment : std::bit_ceil(alignment);
  FreeSized(block, {size, rounded}, BlockCall::kFreeAlignedSized);
}

// Removed from glibc's headers in 2.26; old binaries still call it.
HAKMEM_API void cfree(void* block) noexcept { Free(block); }

void* hakmem_malloc(size_t) noexcept HAKMEM_ALIAS_OF(malloc);
void hakmem_free(void*) noexcept HAKMEM_ALIAS_OF(free);
void* hakmem_calloc(size_t, size_t) noexcept HAKMEM_ALIAS_OF(calloc);
void* hakmem_realloc(void*, size_t) noexcept HAKMEM_ALIAS_OF(realloc);
void* hakmem_memalign(size_t, size_t) noexcept HAKMEM_ALIAS_OF(memalign);
void* hakmem_aligned_alloc(size_t, size_t) noexcept
    HAKMEM_ALIAS_OF(aligned_alloc);
int hakmem_posix_memalign(void**, size_t, size_t) noexcept
    HAKMEM_ALIAS_OF(posix_memalign);
void* hakmem_valloc(size_t) noexcept HAKMEM_ALIAS_OF(valloc);
void* hakmem_pvalloc(size_t) noexcept HAKMEM_ALIAS_OF(pvalloc);
void hakmem_free_sized(void*, size_t) noexcept HAKMEM_ALIAS_OF(free_sized);
void hakmem_free_aligned_sized(void*, size_t, size_t) noexcept
    HAKMEM_ALIAS_OF(free_aligned_sized);

// Not aliases: their declarations differ from those of the C functions.

HAKMEM_API void* hakmem_reallocarray(void* block, size_t count,
                                     size_t size) noexcept {
  return ReallocateArray(block, count, size, CallOf(HAKMEM_ENTRY_REALLOCARRAY));
}

HAKMEM_API size_t hakmem_malloc_usable_size(const void* block) noexcept {
  return hakmem::UsableBytes(block);
}

// glibc's internal names, by which wrappers call "the C library's allocator":
// their blocks must come from the allocator that frees them. musl uses such
// names for itself.
#ifdef __GLIBC__

// gcc requires an alias to have its target's attributes.
#if __has_attribute(copy)
#define HAKMEM_SECOND_NAME_OF(name) __attribute__((alias(#name), copy(name)))
#else
#define HAKMEM_SECOND_NAME_OF(name) __attribute__((alias(#name)))
#endif

HAKMEM_API void* __libc_malloc(size_t) noexcept HAKMEM_SECOND_NAME_OF(malloc);
HAKMEM_API void __libc_free(void*) noexcept HAKMEM_SECOND_NAME_OF(free);
HAKMEM_API void* __libc_calloc(size_t, size_t) noexcept
    HAKMEM_SECOND_NAME_OF(calloc);
HAKMEM_API void* __libc_realloc(void*, size_t) noexcept
    HAKMEM_SECOND_NAME_OF(realloc);
HAKMEM_API void* __libc_memalign(size_t, size_t) noexcept
    HAKMEM_SECOND_NAME_OF(memalign);
HAKMEM_API void* __libc_valloc(size_t) noexcept HAKMEM_SECOND_NAME_OF(valloc);
HAKMEM_API void* __libc_pvalloc(size_t) noexcept HAKMEM_SECOND_NAME_OF(pvalloc);
HAKMEM_API int __posix_memalign(void**, size_t, size_t) noexcept
    HAKMEM_SECOND_NAME_OF(posix_memalign);

#endif

}  // extern "C"
