// A table for a terminal: columns as wide as they need, two spaces between.
#ifndef HAKMEM_TOOLS_TEXT_TABLE_H_
#define HAKMEM_TOOLS_TEXT_TABLE_H_

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hakmem::tools {

// Columns that UTF-8 text takes, if each character takes one. Escape sequences
// that set colours take none.
size_t DisplayWidth(std::string_view text);

// `text` filled up with spaces to `width` columns, on the right or the left.
std::string PadRight(std::string_view text, size_t width);
std::string PadLeft(std::string_view text, size_t width);

// "-" for nothing, else printf's %.<digits>f.
std::string Cell(std::optional<double> value, int digits);

class Table {
 public:
  enum class Align { kLeft, kRight };

  // Columns that `align` does not name are aligned as its last one is; by
  // default the first one left, the others right.
  explicit Table(std::vector<std::string> header,
                 std::vector<Align> align = {Align::kLeft, Align::kRight});

  // Missing cells are empty; there must be none too many. A cell alone spans
  // the row.
  void AddRow(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  // Header, a line of dashes, rows; each line ends in a newline and in no
  // space. A last column that is aligned left is as wide as its header: it
  // holds sentences.
  std::string Render() const;

 private:
  Align AlignOf(size_t column) const {
    return align_[std::min(column, align_.size() - 1)];
  }
  std::string Line(const std::vector<std::string>& cells,
                   const std::vector<size_t>& widths) const;

  const std::vector<Align> align_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_TEXT_TABLE_H_
