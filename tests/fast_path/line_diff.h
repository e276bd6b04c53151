// The difference of two texts, line by line, for people.
#ifndef HAKMEM_TESTS_FAST_PATH_LINE_DIFF_H_
#define HAKMEM_TESTS_FAST_PATH_LINE_DIFF_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hakmem::bench {

// As `diff -u` shows it, without line numbers: "-" before lines of `before`
// only, "+" before lines of `after` only, a few common lines around them, and
// "..." where more are left out. Empty when the texts are the same. Takes time
// and memory that grow with the product of the two line counts.
std::string LineDiff(absl::string_view before, absl::string_view after);

}  // namespace hakmem::bench

#endif  // HAKMEM_TESTS_FAST_PATH_LINE_DIFF_H_
