// The output of a check, for tests that damage metadata on purpose.
#ifndef HAKMEM_BACKEND_VERIFY_HEAP_VERIFIER_TEST_HELPER_H_
#define HAKMEM_BACKEND_VERIFY_HEAP_VERIFIER_TEST_HELPER_H_

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "backend/verify/heap_verifier.h"

namespace hakmem {

// All lines that `walk(HeapVerifier&)` reports.
template <typename Walk>
std::string FaultsOf(Walk&& walk) {
  testing::internal::CaptureStderr();
  HeapVerifier check;
  walk(check);
  check.Finish();
  return testing::internal::GetCapturedStderr();
}

// Sets `*place` to `damaged`, expects `fault` in the output of `faults()`, and
// restores the place.
template <typename T, typename Faults>
void ExpectFault(T* place, T damaged, Faults&& faults, const char* fault) {
  const T whole = std::exchange(*place, damaged);
  const std::string found = faults();
  *place = whole;
  EXPECT_NE(found.find(fault), std::string::npos)
      << "not found: " << fault << "\nin: " << found;
}

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_VERIFY_HEAP_VERIFIER_TEST_HELPER_H_
