#include "base/os/os_memory.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>

#include "base/os/clock.h"
#include "base/os/memory_calls.h"
#include "base/os/system_call.h"
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

// The errno in a system call's result.
int ErrnoOf(long result) {
  return IsRefusal(result) ? static_cast<int>(-result) : 0;
}

// relaxed: a refused thread collects, and so sees its own write.
constinit std::atomic<bool> was_refused_usable{false};

void NoteRefusal() {
  was_refused_usable.store(true, std::memory_order_relaxed);
}

// relaxed: written once, when the library is loaded.
constinit std::atomic<bool> commit_is_strict{false};

int ProtectionOf(Access access) {
  switch (access) {
    case Access::kNone:
      return PROT_NONE;
    case Access::kRead:
      return PROT_READ;
    case Access::kReadWrite:
      break;
  }
  return PROT_READ | PROT_WRITE;
}

// The system calls. Each returns an errno; tests can make any of them fail.

// At `hint` if that is free (0: anywhere).
Mapping MapAt(uintptr_t hint, size_t bytes, int protection) {
  CheckRange(hint, bytes);
  const long result = ShouldInjectFault(Call::kMmap)
                          ? -ENOMEM
                          : MapPages(hint, bytes, protection);
  if (!IsRefusal(result)) return {static_cast<uintptr_t>(result)};
  if ((protection & PROT_WRITE) != 0) NoteRefusal();
  return {0, ErrnoOf(result), bytes};
}

int MakeUsable(uintptr_t address, size_t bytes) {
  CheckRange(address, bytes);
  const int error =
      ShouldInjectFault(Call::kMprotect) || ExceedsCommitLimit(address, bytes)
          ? ENOMEM
          : ErrnoOf(ProtectPages(address, bytes, PROT_READ | PROT_WRITE));
  if (error != 0) NoteRefusal();
  return error;
}

int Reserve(uintptr_t address, size_t bytes) {
  CheckRange(address, bytes);
  if (ShouldInjectFault(Call::kMmap)) return ENOMEM;
  return ErrnoOf(ReservePages(address, bytes));
}

int Advise(uintptr_t address, size_t bytes, int advice) {
  CheckRange(address, bytes);
  if (ShouldInjectFault(Call::kMadvise)) return ENOMEM;
  return ErrnoOf(AdvisePages(address, bytes, advice));
}

// Whether the kernel reads a nonzero word at `address`. It compares the word
// with 0 before it would requeue waiters from one futex to another, of which
// there are none.
bool IsNotZero(uintptr_t address) {
  static constinit uint32_t nobody_waits = 0;
  return SystemCall(SYS_futex, address, FUTEX_CMP_REQUEUE_PRIVATE, 0, 0,
                    &nobody_waits, 0) == -EAGAIN;
}

// MADV_DONTNEED, verified. An emulator or a sandbox may return 0 and do
// nothing; such memory is not zero. So the first word of the range is made
// nonzero before and read afterwards. After a failed check nobody tries again
// for a second.
class HonestPurge {
 public:
  // As Purge, for nonempty ranges.
  int Do(uintptr_t address, size_t bytes) {
    if (IsDistrusted()) return ENOTSUP;
    return Verify(address, bytes,
                  [&] { return Advise(address, bytes, MADV_DONTNEED); });
  }

  // As PurgeAll. Only the last range is verified: an emulator or a sandbox that
  // did something with it did so with the others.
  uint64_t DoAll(std::span<const Range> ranges) {
    if (ranges.empty() || IsDistrusted()) return 0;
    const size_t last = ranges.size() - 1;
    uint64_t done = 0;
    const int error = Verify(ranges[last].address, ranges[last].bytes, [&] {
      int last_error = 0;
      for (size_t i = 0; i <= last; ++i) {
        last_error = Advise(ranges[i].address, ranges[i].bytes, MADV_DONTNEED);
        done |= uint64_t{last_error == 0} << i;
      }
      return last_error;
    });
    if (error == 0) return done;
    // It shows nothing about the others: purge and verify each.
    done &= ~(uint64_t{1} << last);
    for (uint64_t m = done; m != 0; m &= m - 1) {
      const int i = std::countr_zero(m);
      if (Do(ranges[i].address, ranges[i].bytes) != 0) {
        done &= ~(uint64_t{1} << i);
      }
    }
    return done;
  }

 private:
  bool IsDistrusted() const {
    // relaxed: a hint that orders nothing.
    const uint64_t until = distrusted_until_.load(std::memory_order_relaxed);
    return until != 0 && CoarseMilliseconds() < until;
  }

  // Calls purge(), which is to purge the range and returns an errno. Returns
  // that, or ENOTSUP if it returned 0 and the range is as before.
  template <typename Purge>
  int Verify(uintptr_t address, size_t bytes, Purge&& purge) {
    volatile uint64_t& word = *reinterpret_cast<uint64_t*>(address);
    const bool was_zero = word == 0;
    if (was_zero) word = kNotZero;
    int error = purge();
    if (error == 0 && word != 0) {
      error = ENOTSUP;
      distrusted_until_.store(CoarseMilliseconds() + kDistrustMilliseconds,
                              std::memory_order_relaxed);
    }
    // Refused memory must be unchanged: freed blocks may bear a mark there.
    if (error != 0 && was_zero) word = 0;
    // The read mapped the kernel's zero page, which mincore counts. If that is
    // the huge zero page, writing would split it into small pages.
    if (error == 0) {
      const size_t read = bytes < kHugePageBytes ? PageBytes() : kHugePageBytes;
      (void)AdvisePages(address, read, MADV_DONTNEED);
    }
    return error;
  }

  static constexpr uint64_t kNotZero = 0x68616b6d656d2121;
  static constexpr uint64_t kDistrustMilliseconds = 1000;
  static constexpr size_t kHugePageBytes = size_t{2} << 20;

  std::atomic<uint64_t> distrusted_until_{0};
};

constinit HonestPurge honest_purge;

int UnmapNow(uintptr_t address, size_t bytes) {
  CheckRange(address, bytes);
  if (ShouldInjectFault(Call::kMunmap)) return ENOMEM;
  return ErrnoOf(UnmapPages(address, bytes));
}

// `target` only with MREMAP_FIXED. The callers check RemapFails.
int Remap(uintptr_t address, size_t old_bytes, size_t new_bytes, int flags,
          uintptr_t target) {
  CheckRange(address, old_bytes | new_bytes);
  const int error =
      ErrnoOf(RemapPages(address, old_bytes, new_bytes, flags, target));
  if (new_bytes > old_bytes && error == ENOMEM) NoteRefusal();
  return error;
}

// Whether a test makes it fail.
bool RemapFails(size_t old_bytes, size_t new_bytes) {
  if (!ShouldInjectFault(Call::kMremap) &&
      (new_bytes <= old_bytes ||
       !ExceedsCommitLimit(0, new_bytes - old_bytes))) {
    return false;
  }
  NoteRefusal();
  return true;
}

// Address space that the kernel refused to unmap, to be retried. Lock-free, so
// that after a fork at any moment the child's list is usable; entries that
// another thread was working on are lost to the child.
class RefusedReleases {
 public:
  // Drops the range if the list is full.
  void Add(uintptr_t address, size_t bytes) {
    for (Range& range : ranges_) {
      uintptr_t expected = kNone;
      // acquire, and release below: whoever claims a range sees its `bytes`.
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

  // Retries each, up to the first that is refused again.
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
  // In place of an address, which is a multiple of the page size.
  static constexpr uintptr_t kNone = 0;
  static constexpr uintptr_t kClaimed = 1;

  struct Range {
    std::atomic<uintptr_t> address{kNone};
    size_t bytes = 0;
  };

  Range ranges_[512];
  std::atomic<int> count_{0};
};

constinit RefusedReleases refused_releases;

// A limit in the kernel's layout, the same on all architectures.
struct KernelLimit {
  uint64_t current;  // UINT64_MAX: none
  uint64_t most;
};

uint64_t AskForLimit() {
  const KeepErrno keep_errno;
  KernelLimit limit;
  if (ShouldInjectFault(Call::kGetrlimit) ||
      SystemCall(SYS_prlimit64, 0, RLIMIT_AS, nullptr, &limit) != 0) {
    return UINT64_MAX;
  }
  return limit.current;
}

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
  const int protection = ProtectionOf(access);
  if (alignment <= PageBytes()) return MapAt(0, bytes, protection);
  const uintptr_t below_alignment = alignment - 1;
  if (alignment < kAddressSpaceBytes) {
    // Kernels since 6.7 align large mappings to huge pages by themselves, so
    // try the exact size.
    const Mapping exact = MapAt(0, bytes, protection);
    if (!exact || (exact.address & below_alignment) == 0) return exact;
    Release(exact.address, bytes);
    // Mappings grow downwards, so the next aligned place below is mostly free:
    // no trimming, which may be refused, and no excess towards a limit.
    const Mapping near =
        MapAt(exact.address & ~below_alignment, bytes, protection);
    if (!near || (near.address & below_alignment) == 0) return near;
    Release(near.address, bytes);
  }
  // Otherwise map with room to align, and trim.
  const size_t room = bytes + alignment - PageBytes();
  if (room < bytes) return {0, ENOMEM, SIZE_MAX};
  const Mapping wide = MapAt(0, room, protection);
  if (!wide) return wide;
  const uintptr_t start = (wide.address + below_alignment) & ~below_alignment;
  const size_t head = start - wide.address;
  const size_t tail = room - head - bytes;
  if (head != 0) Release(wide.address, head);
  if (tail != 0) Release(start + bytes, tail);
  return {start};
}

int Commit(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  return MakeUsable(address, bytes);
}

int Uncommit(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  // Not mprotect, after which the kernel still charges for memory that was once
  // written to.
  return Reserve(address, bytes);
}

bool WasRefusedUsable() {
  return was_refused_usable.load(std::memory_order_relaxed);
}

void ForgetRefusal() {
  was_refused_usable.store(false, std::memory_order_relaxed);
}

bool CommitIsStrict() {
  return commit_is_strict.load(std::memory_order_relaxed);
}

void ReadCommitMode() {
  const KeepErrno keep_errno;
  char mode = '0';
  const int file =
      ShouldInjectFault(Call::kOpen)
          ? -1
          : static_cast<int>(SystemCall(SYS_openat, AT_FDCWD,
                                        "/proc/sys/vm/overcommit_memory",
                                        O_RDONLY | O_CLOEXEC));
  if (file >= 0) {
    if (SystemCall(SYS_read, file, &mode, 1) != 1) mode = '0';
    SystemCall(SYS_close, file);
  }
  commit_is_strict.store(mode == '2' || CommitIsCounted(),
                         std::memory_order_relaxed);
}

int Purge(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  // Not MADV_FREE: such memory counts as resident until memory is short, which
  // users take for a leak.
  return bytes == 0 ? 0 : honest_purge.Do(address, bytes);
}

uint64_t PurgeAll(std::span<const Range> ranges) {
  const KeepErrno keep_errno;
  return honest_purge.DoAll(ranges);
}

int PurgeWithin(uintptr_t begin, uintptr_t end) {
  const size_t page = PageBytes();
  const uintptr_t first = (begin + page - 1) & -page;
  const uintptr_t last = end & -page;
  return first < last ? Purge(first, last - first) : 0;
}

int Unmap(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  return UnmapNow(address, bytes);
}

void Release(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  refused_releases.Retry();
  if (UnmapNow(address, bytes) == 0) return;
  // Result ignored: the range is remembered either way.
  (void)Advise(address, bytes, MADV_DONTNEED);
  refused_releases.Add(address, bytes);
}

int ResizeInPlace(uintptr_t address, size_t old_bytes, size_t new_bytes) {
  const KeepErrno keep_errno;
  if (RemapFails(old_bytes, new_bytes)) return ENOMEM;
  return Remap(address, old_bytes, new_bytes, 0, 0);
}

int MoveTo(uintptr_t address, size_t old_bytes, size_t new_bytes,
           uintptr_t target) {
  const KeepErrno keep_errno;
  if (RemapFails(old_bytes, new_bytes)) {
    Release(target, new_bytes);  // never called: `target` is still reserved
    return ENOMEM;
  }
  // A refusal for too many mappings comes before the kernel unmaps `target`,
  // others (commit limit) after it. The first kind leaves it reserved, which is
  // better than unmapping what another thread may own by now.
  return Remap(address, old_bytes, new_bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
               target);
}

int AdviseHugePages(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  return Advise(address, bytes, MADV_HUGEPAGE);
}

int AdviseNoHugePages(uintptr_t address, size_t bytes) {
  const KeepErrno keep_errno;
  return Advise(address, bytes, MADV_NOHUGEPAGE);
}

bool IsMostlyTouched(uintptr_t address, size_t bytes, size_t most_untouched) {
  const KeepErrno keep_errno;
  constexpr size_t kSamples = 32;
  const size_t page = PageBytes();
  const size_t pages = bytes / page;
  if (pages < kSamples) return false;
  const size_t step = pages / kSamples;
  size_t untouched = 0;
  uint32_t random = 1;
  for (size_t i = 0; i < kSamples && untouched <= most_untouched; ++i) {
    random = random * 1664525 + 1013904223;  // Numerical Recipes
    const uintptr_t at = address + (i * step + (random >> 8) % step) * page;
    // Programs write the first bytes of a page, or all of it. The second place
    // varies, for arrays of structures with zero fields.
    const size_t other = (random >> 4) % page & ~size_t{3};
    untouched += !IsNotZero(at) && !IsNotZero(at + other);
  }
  return untouched <= most_untouched;
}

uint64_t AddressSpaceLimit() {
  // 0: not read yet. relaxed: the number orders nothing.
  static constinit std::atomic<uint64_t> first{0};
  uint64_t limit = first.load(std::memory_order_relaxed);
  if (limit == 0) {
    limit = std::max<uint64_t>(AskForLimit(), 1);
    first.store(limit, std::memory_order_relaxed);
  }
  return limit;
}

}  // namespace hakmem::os
