// The statistics of the whole allocator, as a struct and as text.
#ifndef HAKMEM_FRONTEND_API_STATISTICS_H_
#define HAKMEM_FRONTEND_API_STATISTICS_H_

#include <cstddef>
#include <cstdint>

#include "base/text/log.h"
#include "hakmem/hakmem.h"

namespace hakmem {

// Thread-safe; allocates nothing.
[[gnu::cold]] hakmem_stats_t GatherStatistics();

// Enough for any statistics text: what the build is, and a name, punctuation
// and up to 20 digits for each field.
inline constexpr size_t kLongestJsonName = 44;
inline constexpr size_t kMaxJsonBytes =
    160 +
    (kLongestJsonName + 24) * (sizeof(hakmem_stats_t) / sizeof(uint64_t) + 1);

// The fields of a JSON object, on one line, without the braces: "format" (1:
// its version), "version", "backend", "ace", "hardening" and "tracing" of the
// library, then the struct's. What a later version adds does not change the
// format.
void WriteJsonFields(const hakmem_stats_t& stats, TextBuffer& out);

// One JSON object on one line, with the classes and threads there are.
void WriteJson(const hakmem_stats_t& stats, TextBuffer& out);

// The same in Prometheus's text format, without the threads.
void WritePrometheus(const hakmem_stats_t& stats, TextBuffer& out);

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_API_STATISTICS_H_
