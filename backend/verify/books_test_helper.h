// books_test_helper.h: what a check of some books says, for tests that damage
// them by hand.
#ifndef HAKMEM_BACKEND_VERIFY_BOOKS_TEST_HELPER_H_
#define HAKMEM_BACKEND_VERIFY_BOOKS_TEST_HELPER_H_

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "backend/verify/book_check.h"

namespace hakmem {

// All lines that `walk(BookCheck&)` reports.
template <typename Walk>
std::string FaultsOf(Walk&& walk) {
  testing::internal::CaptureStderr();
  BookCheck check;
  walk(check);
  check.Finish();
  return testing::internal::GetCapturedStderr();
}

// Sets `*place` to `damaged`, expects that `faults()` has `fault` in it, and
// mends the place again.
template <typename T, typename Faults>
void ExpectFault(T* place, T damaged, Faults&& faults, const char* fault) {
  const T whole = std::exchange(*place, damaged);
  const std::string found = faults();
  *place = whole;
  EXPECT_NE(found.find(fault), std::string::npos)
      << "not found: " << fault << "\nin: " << found;
}

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_VERIFY_BOOKS_TEST_HELPER_H_
