// The statistics of the whole allocator, as a struct and as text.
#ifndef HAKMEM_FRONTEND_STATISTICS_H_
#define HAKMEM_FRONTEND_STATISTICS_H_

#include "base/log.h"
#include "hakmem/hakmem.h"

namespace hakmem {

// Thread-safe; allocates nothing.
hakmem_stats_t GatherStatistics();

// One JSON object on one line.
void WriteJson(const hakmem_stats_t& stats, TextBuffer& out);

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_STATISTICS_H_
