// One run of a worker, as read from the line that it printed.
#ifndef HAKMEM_BENCHMARKS_HARNESS_SAMPLE_H_
#define HAKMEM_BENCHMARKS_HARNESS_SAMPLE_H_

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "benchmarks/harness/json.h"

namespace hakmem::bench {

// What HAKMEM says of itself (hakmem/hakmem.h); sizes in bytes.
struct Books {
  double chunks = 0;  // SuperSlabs or segments
  double slabs = 0;
  double slab_live = 0;
  double slab_committed = 0;
  double fallbacks = 0;
  double free_list_faults = 0;
  double lookup_cycles = 0;

  // The part of the slabs' committed memory that holds no live block; nothing
  // when there are no slabs.
  std::optional<double> Fragmentation() const {
    if (slab_committed <= 0) return std::nullopt;
    return 1 - slab_live / slab_committed;
  }
};

struct Sample {
  double threads = 0;
  double operations = 0;  // of all threads together
  double wall_ns = 0;
  double cpu_ns = 0;
  double peak_rss_kib = 0;
  double minor_faults = 0;
  std::optional<double> cycles;               // of the time-stamp counter
  std::optional<double> cache_misses;         // these three: where the
  std::optional<double> dtlb_misses;          // kernel lets a program
  std::optional<double> instructions;         // count them
  std::optional<double> libc_malloc_bytes;    // held by libc's own malloc
  std::optional<double> internal_waste;       // usable over requested, less 1
  std::optional<double> resident_before_kib;  // these three: by a workload
  std::optional<double> resident_after_kib;   // that frees its memory
  std::optional<double> live_after_kib;
  // Live and resident KiB, one after another as the workload ran.
  std::vector<std::pair<double, double>> series;
  std::optional<Books> books;  // HAKMEM's variants only
  Json raw;                    // all of it but file paths

  // Nothing when the line is not what a worker prints.
  static std::optional<Sample> Parse(std::string_view line);
  static std::optional<Sample> FromJson(Json json);
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_HARNESS_SAMPLE_H_
