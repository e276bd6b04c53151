// A table for a terminal: columns as wide as they need, the first one left
// aligned, the others right aligned, two spaces between.
#ifndef HAKMEM_BENCHMARKS_REPORT_TABLE_H_
#define HAKMEM_BENCHMARKS_REPORT_TABLE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hakmem::bench {

// Columns that UTF-8 text takes, if each character takes one.
size_t DisplayWidth(std::string_view text);

// `text` filled up with spaces to `width` columns, on the right or the left.
std::string PadRight(std::string_view text, size_t width);
std::string PadLeft(std::string_view text, size_t width);

// "-" for nothing, else printf's %.<digits>f.
std::string Cell(std::optional<double> value, int digits);

class Table {
 public:
  explicit Table(std::vector<std::string> header) {
    rows_.push_back(std::move(header));
  }

  // Missing cells are empty; there must be none too many. A cell alone spans
  // the row.
  void AddRow(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  // Header, a line of dashes, rows; each line ends in a newline and in no
  // space.
  std::string Render() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_REPORT_TABLE_H_
