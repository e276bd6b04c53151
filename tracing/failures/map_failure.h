// Why the operating system refused memory, found out by looking: at resource
// limits, the kernel's tables in /proc, and the cgroup's files in /sys.
//
//   constinit MapFailure looker(kRealSystem);
//   looker.Explain(&failure);
//
// Looks some time after the refusal, so figures may have moved: a limit counts
// as reached when the request comes near it, see the slacks in the .cc. The
// order is from what proves most and costs least. Files that are missing or
// unreadable explain nothing; what no file explains is HAKMEM_SUBCAUSE_UNKNOWN.
//
// System calls only; allocates nothing, needs some 2.5 KiB of stack, takes no
// lock; async-signal-safe. Changes errno. What costs milliseconds in a process
// with many mappings is looked at ten times a second at most.
#ifndef HAKMEM_TRACING_FAILURES_MAP_FAILURE_H_
#define HAKMEM_TRACING_FAILURES_MAP_FAILURE_H_

#include <atomic>
#include <cstdint>

#include "hakmem/hakmem.h"

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

class MapFailure {
 public:
  explicit constexpr MapFailure(const SystemView& system) : system_(system) {}

  // Explains a refusal, of which os_request, error and os_bytes are given:
  // fills in subcause, evidence_used and evidence_limit. Thread-safe.
  [[gnu::cold]] void Explain(hakmem_failure_t* failure);

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

  bool ExplainByLimit(hakmem_failure_subcause_t subcause, int resource,
                      const char* key, hakmem_failure_t* failure) const;
  bool ExplainByLimits(hakmem_failure_t* failure) const;
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
  std::atomic<hakmem_failure_subcause_t> full_cgroup_{
      HAKMEM_SUBCAUSE_NONE};  // or kNone
};

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_MAP_FAILURE_H_
