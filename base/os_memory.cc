#include "base/os_memory.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

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

Mapping MapAnywhere(size_t bytes, int protection) {
  void* p = mmap(nullptr, bytes, protection,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return {0, errno};
  return {reinterpret_cast<uintptr_t>(p), 0};
}

int ErrnoOf(int result) { return result == 0 ? 0 : errno; }

void* Pointer(uintptr_t address) { return reinterpret_cast<void*>(address); }

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
  munmap(Pointer(exact.address), bytes);
  const size_t room = bytes + alignment - PageBytes();
  if (room < bytes) return {0, ENOMEM};
  const Mapping wide = MapAnywhere(room, protection);
  if (!wide) return wide;
  const uintptr_t start =
      (wide.address + alignment - 1) & ~(uintptr_t{alignment} - 1);
  const size_t head = start - wide.address;
  const size_t tail = room - head - bytes;
  if (head != 0) munmap(Pointer(wide.address), head);
  if (tail != 0) munmap(Pointer(start + bytes), tail);
  return {start, 0};
}

int Commit(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  return ErrnoOf(mprotect(Pointer(address), bytes, PROT_READ | PROT_WRITE));
}

int Purge(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  // Not MADV_FREE: what it leaves still counts as resident until the kernel is
  // short of memory, which users read as a leak.
  return ErrnoOf(madvise(Pointer(address), bytes, MADV_DONTNEED));
}

int Unmap(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  return ErrnoOf(munmap(Pointer(address), bytes));
}

int ResizeInPlace(uintptr_t address, size_t old_bytes, size_t new_bytes) {
  const KeepErrno keep_errno;
  void* p = mremap(Pointer(address), old_bytes, new_bytes, 0);
  return p == MAP_FAILED ? errno : 0;
}

int MoveTo(uintptr_t address, size_t old_bytes, size_t new_bytes,
           uintptr_t target) {
  const KeepErrno keep_errno;
  void* p = mremap(Pointer(address), old_bytes, new_bytes,
                   MREMAP_MAYMOVE | MREMAP_FIXED, Pointer(target));
  return p == MAP_FAILED ? errno : 0;
}

int AdviseHugePages(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  return ErrnoOf(madvise(Pointer(address), bytes, MADV_HUGEPAGE));
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
