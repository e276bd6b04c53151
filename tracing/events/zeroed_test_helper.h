// Zeroed<T>: a T in fresh memory from the operating system, without a
// constructor call, as events.cc makes its rings.
#ifndef HAKMEM_TRACING_EVENTS_ZEROED_TEST_HELPER_H_
#define HAKMEM_TRACING_EVENTS_ZEROED_TEST_HELPER_H_

#include <cstddef>
#include <cstdint>

#include "base/os/os_memory.h"

namespace hakmem_test {

template <typename T>
class Zeroed {
 public:
  Zeroed()
      : address_(hakmem::os::Map(kBytes, hakmem::os::PageBytes(),
                                 hakmem::os::Access::kReadWrite)
                     .address) {}
  ~Zeroed() { hakmem::os::Unmap(address_, kBytes); }
  Zeroed(const Zeroed&) = delete;
  Zeroed& operator=(const Zeroed&) = delete;

  T* get() const { return reinterpret_cast<T*>(address_); }
  T* operator->() const { return get(); }
  T& operator*() const { return *get(); }

 private:
  static constexpr size_t kPage = 65536;  // at least any system's
  static constexpr size_t kBytes = (sizeof(T) + kPage - 1) / kPage * kPage;

  const uintptr_t address_;
};

}  // namespace hakmem_test

#endif  // HAKMEM_TRACING_EVENTS_ZEROED_TEST_HELPER_H_
