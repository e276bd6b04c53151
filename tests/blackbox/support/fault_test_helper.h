// For tests with refused calls to the operating system: access to the library's
// fault injection, and blocks that know their contents. Nothing here allocates.
#ifndef HAKMEM_TESTS_BLACKBOX_SUPPORT_FAULT_TEST_HELPER_H_
#define HAKMEM_TESTS_BLACKBOX_SUPPORT_FAULT_TEST_HELPER_H_

#include <dlfcn.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "base/os/calls/injected/fault_control.h"
#include "tests/blackbox/support/block_test_helper.h"

namespace hakmem_test {

template <typename Function>
Function* FindFaultControl(const char* name) {
  auto* function = reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
  if (function == nullptr) {
    fprintf(stderr, "the library lacks %s\n", name);
    abort();
  }
  return function;
}

// The functions of fault_control.h in the preloaded library.
struct FaultControl {
  decltype(&::hakmem_test_fail_os_calls) fail =
      FindFaultControl<decltype(::hakmem_test_fail_os_calls)>(
          "hakmem_test_fail_os_calls");
  decltype(&::hakmem_test_fail_some_os_calls) fail_some =
      FindFaultControl<decltype(::hakmem_test_fail_some_os_calls)>(
          "hakmem_test_fail_some_os_calls");
  decltype(&::hakmem_test_os_calls) calls =
      FindFaultControl<decltype(::hakmem_test_os_calls)>(
          "hakmem_test_os_calls");
  decltype(&::hakmem_test_failed_os_calls) failed =
      FindFaultControl<decltype(::hakmem_test_failed_os_calls)>(
          "hakmem_test_failed_os_calls");
  decltype(&::hakmem_test_failed_call) failed_call =
      FindFaultControl<decltype(::hakmem_test_failed_call)>(
          "hakmem_test_failed_call");
  decltype(&::hakmem_test_refuse_maps_above) refuse_maps_above =
      FindFaultControl<decltype(::hakmem_test_refuse_maps_above)>(
          "hakmem_test_refuse_maps_above");
  decltype(&::hakmem_test_committed_bytes) committed_bytes =
      FindFaultControl<decltype(::hakmem_test_committed_bytes)>(
          "hakmem_test_committed_bytes");
  decltype(&::hakmem_test_limit_commit) limit_commit =
      FindFaultControl<decltype(::hakmem_test_limit_commit)>(
          "hakmem_test_limit_commit");
};

inline const FaultControl& Faults() {
  static const FaultControl control;
  return control;
}

// Calls part(offset, length) for the parts of a block of `size` that are
// filled: all of a small one, the ends and some words of others.
template <typename Part>
void ForEachPart(size_t size, Part part) {
  constexpr size_t kWhole = 8 * kKiB;
  constexpr size_t kStep = 64 * kKiB;
  part(0, std::min(size, kWhole));
  if (size <= kWhole) return;
  // Parts do not overlap, as each has a pattern of its own.
  if (size < kWhole + 8) return part(kWhole, size - kWhole);
  for (size_t at = kWhole; at + 16 <= size; at += kStep) {
    part(at, 8);
  }
  part(size - 8, 8);
}

// A block and its expected contents.
struct Block {
  char* address;
  size_t size;
  uint64_t seed;

  void Write() const {
    ForEachPart(size, [this](size_t at, size_t length) {
      Fill(address + at, length, seed + at);
    });
  }
  // Whether the first `present` bytes are intact.
  bool IsWhole(size_t present) const {
    bool whole = true;
    ForEachPart(size, [&](size_t at, size_t length) {
      if (at + length <= present) {
        whole = whole && Holds(address + at, length, seed + at);
      }
    });
    return whole;
  }
};

}  // namespace hakmem_test

#endif  // HAKMEM_TESTS_BLACKBOX_SUPPORT_FAULT_TEST_HELPER_H_
