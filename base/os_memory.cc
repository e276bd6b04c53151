#include "base/os_memory.h"

#include <sys/mman.h>
#include <sys/resource.h>

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

// The calls themselves. Each returns an errno; a test may make any fail.

Mapping MapAnywhere(size_t bytes, int protection) {
  CheckRange(0, bytes);
  void* p =
      FailsOnPurpose(Call::kMmap) ? MAP_FAILED : MapPages(bytes, protection);
  if (p == MAP_FAILED) return {0, errno};
  return {reinterpret_cast<uintptr_t>(p), 0};
}

int Protect(uintptr_t address, size_t bytes, int protection) {
  CheckRange(address, bytes);
  if (FailsOnPurpose(Call::kMprotect)) return errno;
  return ErrnoOf(mprotect(Pointer(address), bytes, protection));
}

int Advise(uintptr_t address, size_t bytes, int advice) {
  CheckRange(address, bytes);
  if (FailsOnPurpose(Call::kMadvise)) return errno;
  return ErrnoOf(madvise(Pointer(address), bytes, advice));
}

int UnmapNow(uintptr_t address, size_t bytes) {
  CheckRange(address, bytes);
  if (FailsOnPurpose(Call::kMunmap)) return errno;
  return ErrnoOf(munmap(Pointer(address), bytes));
}

// `target` only with MREMAP_FIXED. The callers ask whether it fails on purpose.
template <typename... Target>
int Remap(uintptr_t address, size_t old_bytes, size_t new_bytes, int flags,
          Target... target) {
  CheckRange(address, old_bytes | new_bytes);
  void* p = mremap(Pointer(address), old_bytes, new_bytes, flags, target...);
  return p == MAP_FAILED ? errno : 0;
}

// Address space that the kernel would not take back, to be offered again.
// Lock-free, so that a fork at any moment leaves the child a usable list; what
// another thread was busy with then is lost to the child.
class RefusedReleases {
 public:
  // Forgets the range when there is no room for it.
  void Add(uintptr_t address, size_t bytes) {
    for (Range& range : ranges_) {
      uintptr_t expected = kNone;
      // acquire, and release below: who claims a range sees its `bytes`.
      if (!range.address.compare_exchange_strong(expected, kClaimed,
                                                 std::memory_order_acquire,
                                                 std::memory_order_relaxed)) {
        continue;
      }
      range.bytes = bytes;
      range.address.store(address, std::memory_order_release);
      // relaxed: a hint.
      count_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
  }

  // Offers each again, until the first that is refused once more.
  void Retry() {
    if (count_.load(std::memory_order_relaxed) == 0) return;
    for (Range& range : ranges_) {
      uintptr_t address = range.address.load(std::memory_order_relaxed);
      if (address <= kClaimed ||
          !range.address.compare_exchange_strong(address, kClaimed,
                                                 std::memory_order_acquire,
                                                 std::memory_order_relaxed)) {
        continue;
      }
      const bool refused = UnmapNow(address, range.bytes) != 0;
      range.address.store(refused ? address : kNone, std::memory_order_release);
      if (refused) return;
      count_.fetch_sub(1, std::memory_order_relaxed);
    }
  }

 private:
  // In place of an address, which is a page's.
  static constexpr uintptr_t kNone = 0;
  static constexpr uintptr_t kClaimed = 1;

  struct Range {
    std::atomic<uintptr_t> address{kNone};
    size_t bytes = 0;
  };

  Range ranges_[64];
  std::atomic<int> count_{0};
};

constinit RefusedReleases refused_releases;

}  // namespace

size_t PageBytes() {
  static std::atomic<size_t> cached{0};
  size_t bytes = cached.load(std::memory_order_relaxed);
  if (bytes == 0) {
    // relaxed: every thread computes the same value.
    bytes = SystemPageBytes();
    cached.store(bytes, std::memory_order_relaxed);
  }
  return bytes;
}

Mapping Map(size_t bytes, size_t alignment, Access access) {
  const KeepErrno keep_errno;
  refused_releases.Retry();
  const int protection =
      access == Access::kNone ? PROT_NONE : PROT_READ | PROT_WRITE;
  if (alignment <= PageBytes()) return MapAnywhere(bytes, protection);
  // Kernels since 6.7 align large mappings to huge pages by themselves, so the
  // exact size is worth a try; else map with room to align, and trim.
  const Mapping exact = MapAnywhere(bytes, protection);
  if (!exact || (exact.address & (alignment - 1)) == 0) return exact;
  Release(exact.address, bytes);
  const size_t room = bytes + alignment - PageBytes();
  if (room < bytes) return {0, ENOMEM};
  const Mapping wide = MapAnywhere(room, protection);
  if (!wide) return wide;
  const uintptr_t start =
      (wide.address + alignment - 1) & ~(uintptr_t{alignment} - 1);
  const size_t head = start - wide.address;
  const size_t tail = room - head - bytes;
  if (head != 0) Release(wide.address, head);
  if (tail != 0) Release(start + bytes, tail);
  return {start, 0};
}

int Commit(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  return Protect(address, bytes, PROT_READ | PROT_WRITE);
}

int Uncommit(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  const int error = Protect(address, bytes, PROT_NONE);
  return error != 0 ? error : Advise(address, bytes, MADV_DONTNEED);
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

void Release(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  refused_releases.Retry();
  if (UnmapNow(address, bytes) == 0) return;
  // Of no use to tell a caller: the range is remembered either way.
  (void)Advise(address, bytes, MADV_DONTNEED);
  refused_releases.Add(address, bytes);
}

int ResizeInPlace(uintptr_t address, size_t old_bytes, size_t new_bytes) {
  const KeepErrno keep_errno;
  if (FailsOnPurpose(Call::kMremap)) return ENOMEM;
  return Remap(address, old_bytes, new_bytes, 0);
}

int MoveTo(uintptr_t address, size_t old_bytes, size_t new_bytes,
           uintptr_t target) {
  const KeepErrno keep_errno;
  if (FailsOnPurpose(Call::kMremap)) {
    Release(target, new_bytes);  // never made: nothing let go of it
    return ENOMEM;
  }
  // A refusal for too many mappings comes before the kernel unmaps `target`,
  // others (memory commitment) after it. The first kind leaves it reserved,
  // which is better than to unmap what may be another's.
  return Remap(address, old_bytes, new_bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
               Pointer(target));
}

int AdviseHugePages(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  return Advise(address, bytes, MADV_HUGEPAGE);
}

int AdviseNoHugePages(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  return Advise(address, bytes, MADV_NOHUGEPAGE);
}

size_t ResidentBytes(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  constexpr size_t kMostPages = (size_t{2} << 20) / 4096;
  unsigned char pages[kMostPages];
  CheckRange(address, bytes);
  const size_t count = bytes / PageBytes();
  if (count > kMostPages || FailsOnPurpose(Call::kMincore) ||
      mincore(Pointer(address), bytes, pages) != 0) {
    return 0;
  }
  size_t resident = 0;
  for (size_t i = 0; i < count; ++i) resident += pages[i] & 1;
  return resident * PageBytes();
}

uint64_t AddressSpaceLimit() {
  const KeepErrno keep_errno;
  rlimit limit;
  if (FailsOnPurpose(Call::kGetrlimit) || getrlimit(RLIMIT_AS, &limit) != 0 ||
      limit.rlim_cur == RLIM_INFINITY) {
    return UINT64_MAX;
  }
  return limit.rlim_cur;
}

}  // namespace hakmem::os
