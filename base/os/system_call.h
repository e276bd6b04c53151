// System calls without the C library.
//
// A program or a tool may interpose libc's functions (mmap, madvise,
// clock_gettime, getrandom, even syscall) and allocate in its version. The
// allocator often makes such calls with a lock held, where an allocation would
// deadlock. So it calls the kernel directly.
//
// Not for calls that a sanitizer must see: memory_calls.h.
#ifndef HAKMEM_BASE_OS_SYSTEM_CALL_H_
#define HAKMEM_BASE_OS_SYSTEM_CALL_H_

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <type_traits>

namespace hakmem {
namespace internal {

// Returns the kernel's result, or a negated errno.
#if defined(__x86_64__)
inline long CallKernel(long number, long a, long b, long c, long d, long e,
                       long f) {
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
inline long CallKernel(long number, long a, long b, long c, long d, long e,
                       long f) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc 0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
}
#else
inline long CallKernel(long number, long a, long b, long c, long d, long e,
                       long f) {
  const int saved_errno = errno;
  long result = syscall(number, a, b, c, d, e, f);
  if (result == -1) result = -errno;
  errno = saved_errno;
  return result;
}
#endif

template <typename T>
long AsWord(T value) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<long>(value);
  } else if constexpr (std::is_null_pointer_v<T>) {
    return 0;
  } else {
    return static_cast<long>(value);
  }
}

}  // namespace internal

// Makes system call `number` (SYS_...) with at most six arguments. Returns the
// kernel's result, or a negated errno. Leaves errno alone.
template <typename... Arguments>
long SystemCall(long number, Arguments... arguments) {
  static_assert(sizeof...(arguments) <= 6);
  const long a[6] = {internal::AsWord(arguments)...};
  return internal::CallKernel(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

// For a result that is an address or a length: whether the kernel refused.
// Errnos are below 4096.
inline bool IsRefusal(long result) {
  return static_cast<unsigned long>(result) > -4096ul;
}

}  // namespace hakmem

#endif  // HAKMEM_BASE_OS_SYSTEM_CALL_H_
