// System calls for memory that bypass interposed libc functions
// (system_call.h). Each returns the kernel's result, a negated errno on
// failure.
//
// Under a sanitizer these are libc's functions, which it interposes: it keeps
// shadow memory and must see every mapping.
#ifndef HAKMEM_BASE_OS_MEMORY_CALLS_H_
#define HAKMEM_BASE_OS_MEMORY_CALLS_H_

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "base/os/system_call.h"

namespace hakmem::os {
namespace internal {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitizerWatches = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
inline constexpr bool kSanitizerWatches = true;
#else
inline constexpr bool kSanitizerWatches = false;
#endif
#else
inline constexpr bool kSanitizerWatches = false;
#endif

inline void* At(uintptr_t address) { return reinterpret_cast<void*>(address); }

inline long Result(void* address) {
  return address == MAP_FAILED ? -errno : reinterpret_cast<long>(address);
}

inline long Result(int result) { return result == 0 ? 0 : -errno; }

}  // namespace internal

inline long MapPrivate(uintptr_t hint, size_t bytes, int protection,
                       int flags) {
  if constexpr (internal::kSanitizerWatches) {
    return internal::Result(
        mmap(internal::At(hint), bytes, protection, flags, -1, 0));
  }
  return SystemCall(SYS_mmap, hint, bytes, protection, flags, -1, 0);
}

inline long UnmapPages(uintptr_t address, size_t bytes) {
  if constexpr (internal::kSanitizerWatches) {
    return internal::Result(munmap(internal::At(address), bytes));
  }
  return SystemCall(SYS_munmap, address, bytes);
}

inline long ProtectPages(uintptr_t address, size_t bytes, int protection) {
  if constexpr (internal::kSanitizerWatches) {
    return internal::Result(mprotect(internal::At(address), bytes, protection));
  }
  return SystemCall(SYS_mprotect, address, bytes, protection);
}

inline long AdvisePages(uintptr_t address, size_t bytes, int advice) {
  if constexpr (internal::kSanitizerWatches) {
    return internal::Result(madvise(internal::At(address), bytes, advice));
  }
  return SystemCall(SYS_madvise, address, bytes, advice);
}

// `target` is used with MREMAP_FIXED only.
inline long RemapPages(uintptr_t address, size_t old_bytes, size_t new_bytes,
                       int flags, uintptr_t target) {
  if constexpr (internal::kSanitizerWatches) {
    return internal::Result(mremap(internal::At(address), old_bytes, new_bytes,
                                   flags, internal::At(target)));
  }
  return SystemCall(SYS_mremap, address, old_bytes, new_bytes, flags, target);
}

}  // namespace hakmem::os

#endif  // HAKMEM_BASE_OS_MEMORY_CALLS_H_
