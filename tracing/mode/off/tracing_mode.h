// Build variant --//tracing=off: counters leave no instruction behind.
#ifndef HAKMEM_TRACING_MODE_H_
#define HAKMEM_TRACING_MODE_H_

namespace hakmem {
inline constexpr bool kTracing = false;
}  // namespace hakmem

#endif  // HAKMEM_TRACING_MODE_H_
