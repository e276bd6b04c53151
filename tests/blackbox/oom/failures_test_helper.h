// failures_test_helper.h: support for the tests of failure records.
#ifndef HAKMEM_TESTS_BLACKBOX_OOM_FAILURES_TEST_HELPER_H_
#define HAKMEM_TESTS_BLACKBOX_OOM_FAILURES_TEST_HELPER_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {

inline constexpr size_t kImpossible = size_t{1} << 63;

// The last record; a failed expectation when there is none.
inline hakmem_failure_t Last() {
  hakmem_failure_t failure = {};
  EXPECT_EQ(Hakmem().last_failure(&failure, sizeof(failure)), 1);
  return failure;
}

inline std::string Text(const hakmem_failure_t& failure) {
  char text[2048];
  Hakmem().failure_text(&failure, text, sizeof(text));
  return text;
}

// All records kept, oldest first.
inline std::vector<hakmem_failure_t> All() {
  // Reserved first: a failure callback or a limit may be in force.
  static std::vector<hakmem_failure_t> all;
  all.clear();
  all.reserve(1000);
  const size_t count = Hakmem().failures(
      [](const hakmem_failure_t* failure, void*) { all.push_back(*failure); },
      nullptr);
  EXPECT_EQ(count, all.size());
  return all;
}

// Each test runs in a child: it does not see records of other tests, and limits
// hold for one child only.
class FailuresTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!HasTracing()) GTEST_SKIP() << "no tracing in this library";
  }

  static void InChild(const std::function<void()>& body) {
    const ChildResult child = RunForked(body);
    EXPECT_EQ(child.exit_code, 0);
    EXPECT_EQ(child.signal, 0);
    EXPECT_EQ(child.err, "");
  }
};

}  // namespace hakmem_test

#endif  // HAKMEM_TESTS_BLACKBOX_OOM_FAILURES_TEST_HELPER_H_
