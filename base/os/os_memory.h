// Memory from the operating system: address space, backing, and both back.
//
// Thin over mmap and friends. Every failure is returned with its errno, never
// ignored here; errno itself is kept. Addresses and sizes are multiples of the
// system's page, alignments powers of two. All functions are thread-safe.
#ifndef HAKMEM_BASE_OS_OS_MEMORY_H_
#define HAKMEM_BASE_OS_OS_MEMORY_H_

#include <cstddef>
#include <cstdint>

namespace hakmem::os {

// What a request for address space gave: `address` is 0 when it was refused;
// `error` then says why, and `refused` of how many bytes: more than the request
// where room to align it was asked for.
struct Mapping {
  uintptr_t address = 0;
  int error = 0;
  size_t refused = 0;

  explicit operator bool() const { return address != 0; }
};

// No process has more address space: mappings are placed below it unless their
// address is asked for, on x86-64 and aarch64 alike.
inline constexpr uint64_t kAddressSpaceBytes = uint64_t{1} << 48;

enum class Access { kNone, kRead, kReadWrite };

// The system's page size in bytes, read once.
size_t PageBytes();

// New address space of `bytes`, aligned to `alignment`. With Access::kNone it
// is only reserved (no commit charge); with kReadWrite it reads as zeros. With
// kRead as well, but it costs nothing until it is made usable by Commit.
Mapping Map(size_t bytes, size_t alignment, Access access);

// Makes reserved memory usable. Returns 0 or an errno.
int Commit(uintptr_t address, size_t bytes);

// Makes usable memory reserved again: it loses its contents, its backing and
// what was advised for it, and every access faults. It no longer counts as data
// (RLIMIT_DATA), nor against a limit on what is promised
// (vm.overcommit_memory=2). Returns 0 or an errno; then nothing has changed.
int Uncommit(uintptr_t address, size_t bytes);

// Whether usable memory has been refused since ForgetRefusal was called last.
// Where that is for a limit on what is usable, touched or not, Uncommit helps.
bool WasRefusedUsable();
void ForgetRefusal();

// Whether the system keeps to what it promises (vm.overcommit_memory=2): all
// that is usable counts against a limit, touched or not, until Uncommit. As
// ReadCommitMode found it; false before.
bool CommitIsStrict();

// Reads that. To be called when the library is loaded: a sandbox may forbid it
// later. Keeps errno.
void ReadCommitMode();

// Gives the backing of usable memory back; it reads as zeros afterwards. The
// range is the caller's alone. Returns 0 or an errno, ENOTSUP when the system
// said that it had done so and had not; then the contents are as they were.
int Purge(uintptr_t address, size_t bytes);

// Gives the address space itself back. Returns 0 or an errno: the kernel
// refuses when the hole would split a mapping beyond vm.max_map_count.
int Unmap(uintptr_t address, size_t bytes);

// The same, for callers that cannot keep what is refused: its backing goes back
// now, and its address space is offered again at later calls of Map and
// Release. Up to 512 such ranges are remembered; more are lost.
void Release(uintptr_t address, size_t bytes);

// Grows or shrinks a mapping without moving it. Returns 0 or an errno.
int ResizeInPlace(uintptr_t address, size_t old_bytes, size_t new_bytes);

// Moves a mapping's pages, and so its contents, over reserved address space of
// `new_bytes` at `target`. Returns 0 or an errno; then nothing has moved, and
// `target` is no longer the caller's: the kernel may have let go of it before
// it failed, and another thread may have been given the place.
int MoveTo(uintptr_t address, size_t old_bytes, size_t new_bytes,
           uintptr_t target);

// Asks for huge pages, or for none. Returns 0 or an errno.
int AdviseHugePages(uintptr_t address, size_t bytes);
int AdviseNoHugePages(uintptr_t address, size_t bytes);

// Whether the program has written to most of [address, address+bytes): of 32
// pages spread over it, at most `most_untouched` hold zeros where it looks. It
// stops with the first that are too many. The kernel does the reading, so that
// no page of the range need be readable, or even mapped, and none becomes
// resident. False where the kernel refuses, and of less than 32 pages.
bool IsMostlyTouched(uintptr_t address, size_t bytes, size_t most_untouched);

// The limit on the process's address space (RLIMIT_AS) in bytes, as it was when
// this was called first: a sandbox may forbid the question later. UINT64_MAX
// when there was none.
uint64_t AddressSpaceLimit();

}  // namespace hakmem::os

#endif  // HAKMEM_BASE_OS_OS_MEMORY_H_
