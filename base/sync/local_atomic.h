// A read-modify-write that is atomic only with respect to signal handlers on
// the same thread: for single-threaded processes (single_thread.h). On x86-64
// one instruction without the lock prefix, whose wait until all earlier stores
// have reached the cache is most of the cost.
#ifndef HAKMEM_BASE_SYNC_LOCAL_ATOMIC_H_
#define HAKMEM_BASE_SYNC_LOCAL_ATOMIC_H_

#include <atomic>
#include <cstdint>
#include <type_traits>

namespace hakmem {

// Adds `more` to `value` and returns its previous value, relaxed. No other
// thread may change it concurrently.
template <typename Atomic>
inline uint64_t FetchAddSingleThreaded(Atomic& value, uint64_t more) {
#if defined(__x86_64__)
  // Not for the test's replacement of std::atomic.
  if constexpr (::std::is_same_v<Atomic, ::std::atomic<uint64_t>>) {
    static_assert(sizeof(value) == sizeof(uint64_t));
    asm volatile("xaddq %0, %1"
                 : "+r"(more), "+m"(reinterpret_cast<uint64_t&>(value))
                 :
                 : "cc");
    return more;
  }
#endif
  return value.fetch_add(more, ::std::memory_order_relaxed);
}

}  // namespace hakmem

#endif  // HAKMEM_BASE_SYNC_LOCAL_ATOMIC_H_
