// Replaces std::atomic, its fences and the allocator's Mutex by the
// interleaver's in all code of namespace hakmem that is included after this
// header, so that a test runs the real source of a protocol.
//
//   #include "tests/interleaving/in_place_of_std.h"  // first of all
//   #include "tracing/events/event_ring.h"           // now interleaved
//
// Inside namespace hakmem, `std` then is hakmem::std: all of ::std, except for
// what is declared here. A test must not also link the real library.
#ifndef HAKMEM_TESTS_INTERLEAVING_IN_PLACE_OF_STD_H_
#define HAKMEM_TESTS_INTERLEAVING_IN_PLACE_OF_STD_H_

#include <atomic>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "tests/interleaving/atomic.h"

namespace hakmem {
namespace std {  // NOLINT: see above

using namespace ::std;  // NOLINT: see above

template <typename T>
using atomic = ::interleaver::Atomic<T>;

template <typename T>
struct atomic_ref : ::interleaver::AtomicRef<T> {
  using ::interleaver::AtomicRef<T>::AtomicRef;
};
template <typename T>
atomic_ref(T&) -> atomic_ref<T>;

inline void atomic_thread_fence(::std::memory_order order,
                                const char* file = __builtin_FILE(),
                                int line = __builtin_LINE()) {
  ::interleaver::ThreadFence(order, file, line);
}

}  // namespace std
}  // namespace hakmem

#endif  // HAKMEM_TESTS_INTERLEAVING_IN_PLACE_OF_STD_H_
