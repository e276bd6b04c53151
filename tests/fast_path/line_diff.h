// A line-by-line difference of two texts, for people.
#ifndef HAKMEM_TESTS_FAST_PATH_LINE_DIFF_H_
#define HAKMEM_TESTS_FAST_PATH_LINE_DIFF_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hakmem::bench {

// As `diff -u` without line numbers: "-" marks lines only in `before`, "+"
// lines only in `after`, with a few common lines around them and "..." for
// omitted ones. Empty if the texts are equal. Takes time and memory
// proportional to the product of the line counts.
std::string LineDiff(absl::string_view before, absl::string_view after);

}  // namespace hakmem::bench

#endif  // HAKMEM_TESTS_FAST_PATH_LINE_DIFF_H_
