// Statistics of each size class and each thread's cache, as structs and as
// text. Thread-safe; nothing here allocates.
#ifndef HAKMEM_FRONTEND_API_CLASS_STATISTICS_H_
#define HAKMEM_FRONTEND_API_CLASS_STATISTICS_H_

#include <cstddef>

#include "base/size_classes.h"
#include "base/text/log.h"
#include "hakmem/hakmem.h"

namespace hakmem {

// The classes that have slabs, by block size.
struct ClassList {
  size_t count = 0;
  hakmem_class_stats_t classes[kClassCount];
};
[[gnu::cold]] ClassList GatherClasses();

// Members of the object of hakmem_stats_json, each after a comma.
[[gnu::cold]] void WriteJsonClasses(TextBuffer& out);
[[gnu::cold]] void WriteJsonThreads(TextBuffer& out);

// The lines before a metric's values in Prometheus's text format: `counts` says
// that it only grows. `name` is that of the field.
void WriteMetricHead(const char* name, bool counts, const char* doc,
                     TextBuffer& out);

// A metric for each field of hakmem_class_stats_t.
[[gnu::cold]] void WritePrometheusClasses(TextBuffer& out);

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_API_CLASS_STATISTICS_H_
