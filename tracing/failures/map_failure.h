// Why the operating system refused memory, found out by looking: at resource
// limits, the kernel's tables in /proc, and the cgroup's files in /sys.
//
//   constinit MapFailure looker(kRealSystem);
//   Evidence e = looker.Explain(OsRequest::kMapLarge, ENOMEM, bytes);
//
// Looks some time after the refusal, so figures may have moved: a limit counts
// as reached when the request comes near it, see the slacks in the .cc. The
// order is from what proves most and costs least. Files that are missing or
// unreadable explain nothing; what no file explains is SubCause::kUnknown.
//
// System calls only; allocates nothing, needs some 2.5 KiB of stack, takes no
// lock; async-signal-safe. Changes errno. What costs milliseconds in a process
// with many mappings is looked at ten times a second at most.
#ifndef HAKMEM_TRACING_FAILURES_MAP_FAILURE_H_
#define HAKMEM_TRACING_FAILURES_MAP_FAILURE_H_

#include <atomic>
#include <cstdint>

#include "tracing/failures/failure_note.h"
#include "tracing/failures/failure_record.h"

namespace hakmem {

// Where to look. Tests give a folder with made-up files.
struct SystemView {
  const char* root;  // put before "/proc/..." and "/sys/..."
  // The soft limit, UINT64_MAX for none, of RLIMIT_AS, _DATA or _MEMLOCK.
  uint64_t (*soft_limit)(int resource);
  uint64_t (*milliseconds)();
  // Bytes of address space that mappings are given from.
  uint64_t (*address_space)();
};

extern const SystemView kRealSystem;

struct Evidence {
  SubCause subcause = SubCause::kUnknown;
  // Bytes, or mappings for kMapCount; 0 when the system does not tell, and the
  // request alone is more than the limit ...
  uint64_t used = 0;
  uint64_t limit = 0;  // ... of at most this
};

class MapFailure {
 public:
  explicit constexpr MapFailure(const SystemView& system) : system_(system) {}

  // Explains the refusal of `bytes` with `error`. Thread-safe.
  [[gnu::cold]] Evidence Explain(OsRequest request, int error, uint64_t bytes);

 private:
  struct Figures {
    uint64_t used = 0;
    uint64_t limit = 0;  // 0 when they could not be read
  };

  // Figures that are kept for a while. Threads may look at once and each keep
  // what it saw: whatever mixture a third one reads is not older.
  class Kept {
   public:
    template <typename Look>
    Figures Get(uint64_t now, Look&& look);

   private:
    std::atomic<uint64_t> until_{0};
    std::atomic<uint64_t> used_{0};
    std::atomic<uint64_t> limit_{0};
  };

  bool ExplainByLimit(SubCause subcause, int resource, const char* key,
                      uint64_t bytes, Evidence* evidence) const;
  bool ExplainByLimits(OsRequest request, uint64_t bytes,
                       Evidence* evidence) const;
  bool IsOvercommitMode(uint64_t mode) const;
  Figures LookAtCommitLimit() const;
  Figures LookAtMappings() const;
  Figures LookAtCgroup();
  Figures LookAtMemory() const;

  const SystemView& system_;
  Kept commit_;
  Kept mappings_;
  Kept cgroup_;
  Kept memory_;
  std::atomic<SubCause> full_cgroup_{SubCause::kNone};  // or kNone
};

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_MAP_FAILURE_H_
