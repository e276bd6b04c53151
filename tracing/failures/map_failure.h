// Finds out why the operating system refused memory, from resource limits, the
// kernel's tables in /proc, and the cgroup's files in /sys.
//
//   constinit MapFailure looker(kRealSystem);
//   looker.Explain(&failure);
//
// It looks some time after the refusal, so figures may have changed: a limit
// counts as reached when the request comes near it; see the slacks in the .cc.
// Causes are tried in order, those with the strongest evidence and the cheapest
// lookup first. Missing or unreadable files are skipped. When nothing explains
// the refusal the subcause is HAKMEM_SUBCAUSE_UNKNOWN.
//
// System calls only; allocates nothing, needs some 2.5 KiB of stack, takes no
// lock; async-signal-safe. Changes errno. Lookups that cost milliseconds in a
// process with many mappings are made at most ten times a second.
#ifndef HAKMEM_TRACING_FAILURES_MAP_FAILURE_H_
#define HAKMEM_TRACING_FAILURES_MAP_FAILURE_H_

#include <atomic>
#include <cstdint>

#include "hakmem/hakmem.h"

namespace hakmem {

// Where to look. Tests pass a folder with made-up files.
struct SystemView {
  const char* root;  // prefix of "/proc/..." and "/sys/..."
  // The soft limit, UINT64_MAX for none, of RLIMIT_AS, _DATA or _MEMLOCK.
  uint64_t (*soft_limit)(int resource);
  uint64_t (*milliseconds)();
  // Size of the address space available to mappings.
  uint64_t (*address_space)();
};

extern const SystemView kRealSystem;

class MapFailure {
 public:
  explicit constexpr MapFailure(const SystemView& system) : system_(system) {}

  // Explains a refusal given by os_request, error and os_bytes: fills in
  // subcause, evidence_used and evidence_limit. Thread-safe.
  [[gnu::cold]] void Explain(hakmem_failure_t* failure);

 private:
  struct Figures {
    uint64_t used = 0;
    uint64_t limit = 0;  // 0 when they could not be read
  };

  // Figures cached for a while. Threads may look at once and each store its
  // result: a third one may read a mixture, but nothing older.
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
