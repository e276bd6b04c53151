// Memory from the operating system: reserve, commit, purge and unmap.
//
// A thin layer over mmap and friends. Every failure is returned as an errno,
// never ignored here; errno itself is kept. Addresses and sizes are multiples
// of the system's page, alignments powers of two. All functions are
// thread-safe.
#ifndef HAKMEM_BASE_OS_OS_MEMORY_H_
#define HAKMEM_BASE_OS_OS_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace hakmem::os {

// Result of a request for address space. `address` is 0 if it was refused;
// `error` is then the errno, and `refused` the size of the refused mapping:
// more than requested if it included room for alignment.
struct Mapping {
  uintptr_t address = 0;
  int error = 0;
  size_t refused = 0;

  explicit operator bool() const { return address != 0; }
};

// The kernel places mappings below this unless an address is requested, on
// x86-64 and aarch64 alike.
inline constexpr uint64_t kAddressSpaceBytes = uint64_t{1} << 48;

enum class Access { kNone, kRead, kReadWrite };

// The system's page size in bytes, read once.
size_t PageBytes();

// New address space of `bytes`, aligned to `alignment`. Access::kNone only
// reserves it (no commit charge); kReadWrite memory reads as zeros; so does
// kRead memory, which costs nothing until Commit makes it usable.
Mapping Map(size_t bytes, size_t alignment, Access access);

// Makes reserved memory usable. Returns 0 or an errno.
int Commit(uintptr_t address, size_t bytes);

// Makes usable memory reserved again: its contents, backing and advice are
// lost, and every access faults. It no longer counts as data (RLIMIT_DATA) nor
// as committed (vm.overcommit_memory=2). Returns 0 or an errno; then nothing
// has changed.
int Uncommit(uintptr_t address, size_t bytes);

// Whether usable memory has been refused since the last ForgetRefusal. If the
// cause is a limit on committed memory, touched or not, Uncommit helps.
bool WasRefusedUsable();
void ForgetRefusal();

// Whether the commit limit is strict (vm.overcommit_memory=2): all usable
// memory counts, touched or not, until Uncommit. As read by ReadCommitMode;
// false before.
bool CommitIsStrict();

// Reads that mode. Called when the library is loaded, as a sandbox may forbid
// it later. Keeps errno.
void ReadCommitMode();

// Returns the backing of usable memory; it reads as zeros afterwards. The
// caller owns the range exclusively. Returns 0 or an errno; ENOTSUP if the
// system reported success without effect, and the contents are unchanged.
int Purge(uintptr_t address, size_t bytes);

struct Range {
  uintptr_t address = 0;
  size_t bytes = 0;
};

// Purges up to kMostPurgeRanges ranges, none of them empty, for less than a
// call each: a small one costs as much as purging half a dozen pages. Returns a
// bit for each, set if it was purged.
inline constexpr size_t kMostPurgeRanges = 64;
uint64_t PurgeAll(std::span<const Range> ranges);

// As Purge, for the whole pages between `begin` and `end`, if there are any.
int PurgeWithin(uintptr_t begin, uintptr_t end);

// Unmaps the range. Returns 0 or an errno: the kernel refuses if the hole would
// split a mapping beyond vm.max_map_count.
int Unmap(uintptr_t address, size_t bytes);

// As Unmap, for callers that cannot keep a refused range: its backing is
// returned now, and unmapping is retried at later calls of Map and Release. Up
// to 512 such ranges are remembered; more are leaked.
void Release(uintptr_t address, size_t bytes);

// Grows or shrinks a mapping without moving it. Returns 0 or an errno.
int ResizeInPlace(uintptr_t address, size_t old_bytes, size_t new_bytes);

// Moves a mapping's pages and contents over the reserved address space of
// `new_bytes` at `target`. Returns 0 or an errno; then nothing has moved, but
// the caller has lost `target`: the kernel may have unmapped it before it
// failed, and another thread may have been given the place.
int MoveTo(uintptr_t address, size_t old_bytes, size_t new_bytes,
           uintptr_t target);

// Asks for huge pages, or for none. Returns 0 or an errno.
int AdviseHugePages(uintptr_t address, size_t bytes);
int AdviseNoHugePages(uintptr_t address, size_t bytes);

// Whether the program has written to most of [address, address+bytes): of 32
// sampled pages, at most `most_untouched` are zero where it looks. Stops at the
// first page beyond that. The kernel does the reading, so pages need not be
// readable or even mapped, and none becomes resident. False where the kernel
// refuses, and for less than 32 pages.
bool IsMostlyTouched(uintptr_t address, size_t bytes, size_t most_untouched);

// The limit on the process's address space (RLIMIT_AS) in bytes, as of the
// first call: a sandbox may forbid the query later. UINT64_MAX: no limit.
uint64_t AddressSpaceLimit();

}  // namespace hakmem::os

#endif  // HAKMEM_BASE_OS_OS_MEMORY_H_
