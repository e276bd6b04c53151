// What the hot path (frontend/thread_cache/bins.h) asks of the compiler.
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

// Makes the compiler forget how it came by `value`, at no instruction. gcc
// else carries a zero-extended load in two registers, of either width, and
// copies one to the other.
template <typename Number>
[[gnu::always_inline]] inline void ForgetOrigin(Number& value) {
  asm("" : "+r"(value));
}

// `number`, which another thread may change meanwhile, by an atomic store, to
// another valid value. A plain load: compilers make one instruction of it with
// the comparison that follows, and two of an atomic load. ThreadSanitizer is
// given an atomic one.
template <typename Number>
[[gnu::always_inline]] inline Number ReadWhileItMayChange(
    const Number& number) {
#ifdef HAKMEM_THREAD_SANITIZER
  return std::atomic_ref<Number>(const_cast<Number&>(number))
      .load(std::memory_order_relaxed);
#else
  return number;
#endif
}

}  // namespace hakmem

#endif  // HAKMEM_BASE_CODEGEN_H_
