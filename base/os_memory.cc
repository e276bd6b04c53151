#include "base/os_memory.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "os_calls.h"

namespace hakmem::os {
namespace {

class KeepErrno {
 public:
  KeepErrno() : saved_(errno) {}
  ~KeepErrno() { errno = saved_; }
  KeepErrno(const KeepErrno&) = delete;
  KeepErrno& operator=(const KeepErrno&) = delete;

 private:
  const int saved_;
};

void* Pointer(uintptr_t address) { return reinterpret_cast<void*>(address); }

int ErrnoOf(int result) { return result == 0 ? 0 : errno; }

// The calls themselves, of which a test may make any fail. Each returns an
// errno.

Mapping MapAnywhere(size_t bytes, int protection) {
  void* p = FailsOnPurpose(Call::kMmap)
                ? MAP_FAILED
                : mmap(nullptr, bytes, protection,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return {0, errno};
  return {reinterpret_cast<uintptr_t>(p), 0};
}

int Protect(uintptr_t address, size_t bytes, int protection) {
  if (FailsOnPurpose(Call::kMprotect)) return errno;
  return ErrnoOf(mprotect(Pointer(address), bytes, protection));
}

int Advise(uintptr_t address, size_t bytes, int advice) {
  if (FailsOnPurpose(Call::kMadvise)) return errno;
  return ErrnoOf(madvise(Pointer(address), bytes, advice));
}

int UnmapNow(uintptr_t address, size_t bytes) {
  if (FailsOnPurpose(Call::kMunmap)) return errno;
  return ErrnoOf(munmap(Pointer(address), bytes));
}

// `target` only with MREMAP_FIXED.
template <typename... Target>
int Remap(uintptr_t address, size_t old_bytes, size_t new_bytes, int flags,
          Target... target) {
  if (FailsOnPurpose(Call::kMremap)) return errno;
  void* p = mremap(Pointer(address), old_bytes, new_bytes, flags, target...);
  return p == MAP_FAILED ? errno : 0;
}

}  // namespace

size_t PageBytes() {
  static std::atomic<size_t> cached{0};
  size_t bytes = cached.load(std::memory_order_relaxed);
  if (bytes == 0) {
    // relaxed: every thread computes the same value.
    bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    cached.store(bytes, std::memory_order_relaxed);
  }
  return bytes;
}

Mapping Map(size_t bytes, size_t alignment, Access access) {
  const KeepErrno keep_errno;
  const int protection =
      access == Access::kNone ? PROT_NONE : PROT_READ | PROT_WRITE;
  if (alignment <= PageBytes()) return MapAnywhere(bytes, protection);
  // Kernels since 6.7 align large mappings to huge pages by themselves, so the
  // exact size is worth a try; else map with room to align, and trim.
  const Mapping exact = MapAnywhere(bytes, protection);
  if (!exact || (exact.address & (alignment - 1)) == 0) return exact;
  UnmapNow(exact.address, bytes);
  const size_t room = bytes + alignment - PageBytes();
  if (room < bytes) return {0, ENOMEM};
  const Mapping wide = MapAnywhere(room, protection);
  if (!wide) return wide;
  const uintptr_t start =
      (wide.address + alignment - 1) & ~(uintptr_t{alignment} - 1);
  const size_t head = start - wide.address;
  const size_t tail = room - head - bytes;
  if (head != 0) UnmapNow(wide.address, head);
  if (tail != 0) UnmapNow(start + bytes, tail);
  return {start, 0};
}

int Commit(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  return Protect(address, bytes, PROT_READ | PROT_WRITE);
}

int Purge(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  // Not MADV_FREE: what it leaves still counts as resident until the kernel is
  // short of memory, which users read as a leak.
  return Advise(address, bytes, MADV_DONTNEED);
}

int Unmap(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  return UnmapNow(address, bytes);
}

int ResizeInPlace(uintptr_t address, size_t old_bytes, size_t new_bytes) {
  const KeepErrno keep_errno;
  return Remap(address, old_bytes, new_bytes, 0);
}

int MoveTo(uintptr_t address, size_t old_bytes, size_t new_bytes,
           uintptr_t target) {
  const KeepErrno keep_errno;
  return Remap(address, old_bytes, new_bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
               Pointer(target));
}

int AdviseHugePages(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  return Advise(address, bytes, MADV_HUGEPAGE);
}

uint64_t AddressSpaceLimit() {
  const KeepErrno keep_errno;
  rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return UINT64_MAX;
  }
  return limit.rlim_cur;
}

}  // namespace hakmem::os
