// A word with the compiler, for the hot path: frontend/bins.h.
#ifndef HAKMEM_BASE_CODEGEN_H_
#define HAKMEM_BASE_CODEGEN_H_

namespace hakmem {

// Makes the compiler forget how it came by `value`, at no instruction. gcc
// else carries a zero-extended load in two registers, of either width, and
// copies one to the other.
template <typename Number>
[[gnu::always_inline]] inline void ForgetOrigin(Number& value) {
  asm("" : "+r"(value));
}

}  // namespace hakmem

#endif  // HAKMEM_BASE_CODEGEN_H_
