// Build variant --//tracing=on: counters count.
#ifndef HAKMEM_TRACING_MODE_H_
#define HAKMEM_TRACING_MODE_H_

namespace hakmem {
inline constexpr bool kTracing = true;
}  // namespace hakmem

#endif  // HAKMEM_TRACING_MODE_H_
