#include "tests/fast_path/line_diff.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hakmem::bench {
namespace {

using absl::string_view;
using Lines = std::vector<string_view>;

constexpr size_t kContext = 3;  // common lines shown around a change

struct MarkedLine {
  char mark;  // ' ', '-' or '+'
  string_view text;
};

// Both texts' lines, with the longest common subsequence only once.
std::vector<MarkedLine> Merge(const Lines& before, const Lines& after) {
  // common[i][j]: the number of lines in the longest common subsequence of
  // before[i...] and after[j...].
  std::vector<std::vector<size_t>> common(
      before.size() + 1, std::vector<size_t>(after.size() + 1, 0));
  for (size_t i = before.size(); i-- > 0;) {
    for (size_t j = after.size(); j-- > 0;) {
      common[i][j] = before[i] == after[j]
                         ? common[i + 1][j + 1] + 1
                         : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  std::vector<MarkedLine> merged;
  size_t i = 0;
  size_t j = 0;
  while (i < before.size() || j < after.size()) {
    if (i < before.size() && j < after.size() && before[i] == after[j]) {
      merged.push_back({' ', before[i++]});
      ++j;
    } else if (j == after.size() ||
               (i < before.size() && common[i + 1][j] >= common[i][j + 1])) {
      merged.push_back({'-', before[i++]});
    } else {
      merged.push_back({'+', after[j++]});
    }
  }
  return merged;
}

}  // namespace

std::string LineDiff(string_view before, string_view after) {
  if (before == after) return "";
  const std::vector<MarkedLine> lines =
      Merge(absl::StrSplit(before, '\n'), absl::StrSplit(after, '\n'));
  std::vector<bool> is_shown(lines.size(), false);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].mark == ' ') continue;
    const size_t begin = i - std::min(i, kContext);
    const size_t end = std::min(i + kContext + 1, lines.size());
    std::fill(is_shown.begin() + static_cast<ptrdiff_t>(begin),
              is_shown.begin() + static_cast<ptrdiff_t>(end), true);
  }
  std::string text;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (is_shown[i]) {
      absl::StrAppend(&text, string_view(&lines[i].mark, 1), lines[i].text,
                      "\n");
    } else if (i == 0 || is_shown[i - 1]) {
      text += "...\n";
    }
  }
  return text;
}

}  // namespace hakmem::bench
