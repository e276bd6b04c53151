#include "tracing/failures/map_failure.h"

#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/os/clock.h"
#include "tracing/failures/cgroup_memory.h"
#include "tracing/failures/text_reader.h"

namespace hakmem {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;

// The allocator asks for more than a request in order to align it, and returned
// what it could before giving up: this much may be free by now.
constexpr uint64_t kMovedMeanwhile = 4 * kMiB;
// vm.overcommit_memory=2 reserves some of the limit for root and for repairs:
// vm.admin_reserve_kbytes, and vm.user_reserve_kbytes but at most a 32nd of the
// process.
constexpr uint64_t kAdminReserve = 8 * kMiB;
constexpr uint64_t kUserReserve = 128 * kMiB;
// The number of mappings varies: within this part of the limit it counts as
// reached.
constexpr uint64_t kMappingsPart = 100;
// A cgroup is full when less than this part is left. The kernel kills rather
// than refuses, and drops page cache first, so a full one is suspected last.
constexpr uint64_t kCgroupPart = 32;
// How long figures that are expensive to look up are cached.
constexpr uint64_t kKeptMilliseconds = 100;

void SetEvidence(hakmem_failure_t* failure, hakmem_failure_subcause_t subcause,
                 uint64_t used, uint64_t limit) {
  failure->subcause = subcause;
  failure->evidence_used = used;
  failure->evidence_limit = limit;
}

uint64_t SoftLimit(int resource) {
  rlimit limit;
  if (syscall(SYS_prlimit64, 0, resource, nullptr, &limit) != 0 ||
      limit.rlim_cur == RLIM_INFINITY) {
    return UINT64_MAX;
  }
  return limit.rlim_cur;
}

// Between 2^38 and 2^52, by processor and kernel: 2^47 on x86-64, also with
// five levels of page tables, unless a higher address is requested explicitly.
// The kernel puts the program's name at its upper end.
uint64_t AddressSpace() {
  const uint64_t top = getauxval(AT_EXECFN);
  return top == 0 ? uint64_t{1} << 57 : std::bit_ceil(top);
}

// Whether `used` + `more` comes within `slack` of `limit`.
bool Reaches(uint64_t used, uint64_t more, uint64_t slack, uint64_t limit) {
  return used >= limit || limit - used < slack || limit - used - slack < more;
}

// Not /proc/self: that is the main thread's, which may have ended first.
uint64_t StatusBytes(const char* root, const char* key) {
  uint64_t kib = 0;
  (void)ReadField(root, "/proc/thread-self/status", "", key, &kib);
  return kib * kKiB;  // 0 when unreadable: then nothing is explained
}

}  // namespace

constinit const SystemView kRealSystem = {"", SoftLimit, CoarseMilliseconds,
                                          AddressSpace};

template <typename Look>
MapFailure::Figures MapFailure::Kept::Get(uint64_t now, Look&& look) {
  // relaxed: see the class; it publishes nothing but these three.
  if (now >= until_.load(std::memory_order_relaxed)) {
    const Figures seen = look();
    used_.store(seen.used, std::memory_order_relaxed);
    limit_.store(seen.limit, std::memory_order_relaxed);
    // After the look, which may have taken long.
    until_.store(now + kKeptMilliseconds, std::memory_order_relaxed);
    return seen;
  }
  return {used_.load(std::memory_order_relaxed),
          limit_.load(std::memory_order_relaxed)};
}

// Whether a resource limit explains it. `key` is the field of its use; if that
// is unreadable, only a request that alone exceeds the limit is explained.
bool MapFailure::ExplainByLimit(hakmem_failure_subcause_t subcause,
                                int resource, const char* key,
                                hakmem_failure_t* failure) const {
  const uint64_t limit = system_.soft_limit(resource);
  if (limit == UINT64_MAX) return false;
  const uint64_t used = StatusBytes(system_.root, key);
  if (failure->os_bytes <= limit &&
      (used == 0 ||
       !Reaches(used, failure->os_bytes, kMovedMeanwhile, limit))) {
    return false;
  }
  SetEvidence(failure, subcause, used, limit);
  return true;
}

// Limits that apply whatever the system's state: two system calls when no limit
// is set.
bool MapFailure::ExplainByLimits(hakmem_failure_t* failure) const {
  // Committing reserved memory takes no address space; reserved memory does not
  // count as data.
  if (failure->os_request != HAKMEM_OS_REQUEST_COMMIT) {
    if (ExplainByLimit(HAKMEM_SUBCAUSE_RLIMIT_AS, RLIMIT_AS, "VmSize",
                       failure)) {
      return true;
    }
    // The process's mappings already lie in it, so nearly all of it is never
    // free in one piece.
    const uint64_t space = system_.address_space();
    if (failure->os_bytes >= space - space / 64) {
      SetEvidence(failure, HAKMEM_SUBCAUSE_ADDRESS_SPACE, failure->os_bytes,
                  space);
      return true;
    }
  }
  return failure->os_request != HAKMEM_OS_REQUEST_RESERVE &&
         ExplainByLimit(HAKMEM_SUBCAUSE_RLIMIT_DATA, RLIMIT_DATA, "VmData",
                        failure);
}

// False also when that cannot be read.
bool MapFailure::IsOvercommitMode(uint64_t mode) const {
  uint64_t in_force = 0;
  return ReadNumber(system_.root, "/proc/sys/vm/overcommit_memory", "",
                    &in_force) &&
         in_force == mode;
}

// Committed memory and its limit, if the kernel enforces it.
MapFailure::Figures MapFailure::LookAtCommitLimit() const {
  if (!IsOvercommitMode(2)) return {};
  Figures figures;
  char key[32];
  uint64_t kib;
  TextReader file(system_.root, "/proc/meminfo");
  while (file.NextField(key, sizeof(key), &kib)) {
    if (strcmp(key, "CommitLimit") == 0) figures.limit = kib * kKiB;
    if (strcmp(key, "Committed_AS") == 0) figures.used = kib * kKiB;
  }
  return figures;
}

MapFailure::Figures MapFailure::LookAtMappings() const {
  Figures figures;
  if (!ReadNumber(system_.root, "/proc/sys/vm/max_map_count", "",
                  &figures.limit)) {
    return {};
  }
  TextReader file(system_.root, "/proc/thread-self/maps");
  while (file.SkipLine()) ++figures.used;
  return figures;
}

// Also records whether the cgroup is full, and its version.
MapFailure::Figures MapFailure::LookAtCgroup() {
  const CgroupMemory memory = FindCgroupMemory(system_.root);
  hakmem_failure_subcause_t full = HAKMEM_SUBCAUSE_NONE;
  // Page cache is as good as free.
  const uint64_t held = memory.used - std::min(memory.used, memory.files);
  if (memory.version != 0 &&
      Reaches(held, 0, memory.limit / kCgroupPart, memory.limit)) {
    full = memory.version == 2 ? HAKMEM_SUBCAUSE_MEMORY_MAX
                               : HAKMEM_SUBCAUSE_MEMORY_LIMIT_IN_BYTES;
  }
  // relaxed: like the figures cached with it.
  full_cgroup_.store(full, std::memory_order_relaxed);
  return {memory.used, memory.limit};
}

// All memory of the system, if the kernel refuses a single request beyond it.
MapFailure::Figures MapFailure::LookAtMemory() const {
  if (!IsOvercommitMode(0)) return {};
  Figures figures;
  char key[32];
  uint64_t kib;
  TextReader file(system_.root, "/proc/meminfo");
  while (file.NextField(key, sizeof(key), &kib)) {
    if (strcmp(key, "MemTotal") == 0 || strcmp(key, "SwapTotal") == 0) {
      figures.limit += kib * kKiB;
    }
  }
  return figures;
}

void MapFailure::Explain(hakmem_failure_t* failure) {
  const uint64_t bytes = failure->os_bytes;
  SetEvidence(failure, HAKMEM_SUBCAUSE_UNKNOWN, 0, 0);
  if (failure->os_request == HAKMEM_OS_REQUEST_HUGE_PAGES) {
    failure->subcause = HAKMEM_SUBCAUSE_HUGE_PAGES;
    return;
  }
  // With mlockall(MCL_FUTURE) new mappings count as locked memory.
  if (failure->error == EAGAIN &&
      ExplainByLimit(HAKMEM_SUBCAUSE_RLIMIT_MEMLOCK, RLIMIT_MEMLOCK, "VmLck",
                     failure)) {
    return;
  }
  // All other limits result in ENOMEM.
  if (failure->error != ENOMEM || ExplainByLimits(failure)) return;

  const uint64_t now = system_.milliseconds();
  if (failure->os_request != HAKMEM_OS_REQUEST_RESERVE) {
    const Figures commit =
        commit_.Get(now, [this] { return LookAtCommitLimit(); });
    if (commit.limit != 0) {
      const uint64_t own = StatusBytes(system_.root, "VmSize") / 32;
      if (Reaches(commit.used, bytes,
                  kAdminReserve + std::min(own, kUserReserve), commit.limit)) {
        return SetEvidence(failure, HAKMEM_SUBCAUSE_COMMIT_LIMIT, commit.used,
                           commit.limit);
      }
    }
  }

  const Figures mappings =
      mappings_.Get(now, [this] { return LookAtMappings(); });
  if (mappings.limit != 0 &&
      Reaches(mappings.used, 1, mappings.limit / kMappingsPart + 2,
              mappings.limit)) {
    return SetEvidence(failure, HAKMEM_SUBCAUSE_MAX_MAP_COUNT, mappings.used,
                       mappings.limit);
  }

  const Figures cgroup = cgroup_.Get(now, [this] { return LookAtCgroup(); });
  const hakmem_failure_subcause_t full =
      full_cgroup_.load(std::memory_order_relaxed);
  if (full != HAKMEM_SUBCAUSE_NONE) {
    return SetEvidence(failure, full, cgroup.used, cgroup.limit);
  }

  const Figures memory = memory_.Get(now, [this] { return LookAtMemory(); });
  if (memory.limit != 0 && bytes > memory.limit) {
    SetEvidence(failure, HAKMEM_SUBCAUSE_OVERCOMMIT, bytes, memory.limit);
  }
}

}  // namespace hakmem
