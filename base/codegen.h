// Code generation hints for the hot path (frontend/thread_cache/bins.h).
#ifndef HAKMEM_BASE_CODEGEN_H_
#define HAKMEM_BASE_CODEGEN_H_

#include <atomic>

#if defined(__SANITIZE_THREAD__)
#define HAKMEM_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAKMEM_THREAD_SANITIZER 1
#endif
#endif

namespace hakmem {

// Hides the origin of `value` from the optimizer; emits no instruction. Without
// it gcc keeps a zero-extended load in two registers, one of each width, with a
// copy between them.
template <typename Number>
[[gnu::always_inline]] inline void HideFromOptimizer(Number& value) {
  asm("" : "+r"(value));
}

// Reads `number`, which another thread may replace concurrently, by an atomic
// store, with another valid value. A plain load, because compilers fold it into
// the comparison that follows; an atomic load takes two instructions. Atomic
// under ThreadSanitizer.
template <typename Number>
[[gnu::always_inline]] inline Number RacyLoad(const Number& number) {
#ifdef HAKMEM_THREAD_SANITIZER
  return std::atomic_ref<Number>(const_cast<Number&>(number))
      .load(std::memory_order_relaxed);
#else
  return number;
#endif
}

}  // namespace hakmem

#endif  // HAKMEM_BASE_CODEGEN_H_
