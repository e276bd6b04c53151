// One failure record: all that is known of one request that failed.
//
// Plain data without padding, so that the ring (failure_ring.h) can keep it as
// words.
#ifndef HAKMEM_TRACING_FAILURES_FAILURE_RECORD_H_
#define HAKMEM_TRACING_FAILURES_FAILURE_RECORD_H_

#include <cstdint>
#include <type_traits>

#include "tracing/failures/failure.h"
#include "tracing/failures/failure_note.h"

namespace hakmem {

// Why the operating system refused, as far as looking could tell. Looking makes
// system calls: it is left until somebody reads the record.
enum class SubCause : uint8_t {
  kNone,          // it did not: another cause
  kAddressSpace,  // RLIMIT_AS
  kDataSegment,   // RLIMIT_DATA
  kAddressBits,   // more than the address space that any process has
  kCommitLimit,   // vm.overcommit_memory=2: CommitLimit
  kMapCount,      // vm.max_map_count
  kCgroup2,       // memory.max of a cgroup
  kCgroup1,       // memory.limit_in_bytes of a version 1 cgroup
  kOvercommit,    // vm.overcommit_memory=0: more than there is memory and swap
  kNoHugePages,   // the kernel gives no huge pages
  kMemlock,       // RLIMIT_MEMLOCK, of a process that locks its memory
  kNotLookedUp,   // nobody has looked yet
  kUnknown,       // none of these
};

struct FailureRecord {
  uint64_t sequence;  // grows with each record; some may be left out
  uint64_t time_ns;   // since 1970 (CLOCK_REALTIME_COARSE)
  uint64_t bytes;     // asked for; SIZE_MAX when count * size overflowed
  uint64_t alignment;
  uint64_t class_bytes;  // 0 when no class was to serve it
  uint64_t live;         // bytes in use: of the pool at its limit, or the class
  uint64_t cached;       // bytes it keeps free
  uint64_t limit;        // Exhaustion: the pool's limit in bytes, else 0
  uint64_t os_bytes;     // MapFail: asked of the operating system
  uint64_t evidence_used;   // MapFail: what was used of what ...
  uint64_t evidence_limit;  // ... `subcause` names: bytes, or mappings
  int32_t error;            // errno: MapFail's, else what the program got
  uint32_t thread;          // as gettid() says
  EntryPoint entry;
  Layer layer;
  Cause cause;
  SubCause subcause;
  OsRequest os_request;
  uint8_t reserved[3];
};

static_assert(std::is_trivially_copyable_v<FailureRecord>);
static_assert(std::has_unique_object_representations_v<FailureRecord>);
static_assert(sizeof(FailureRecord) % sizeof(uint64_t) == 0);

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_FAILURE_RECORD_H_
