#include "tools/text/table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hakmem::tools {
namespace {

// The spaces that `text` lacks of `width` columns.
std::string Padding(std::string_view text, size_t width) {
  const size_t used = DisplayWidth(text);
  return std::string(width > used ? width - used : 0, ' ');
}

}  // namespace

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\033') {
      i = text.find('m', i);
      if (i == std::string_view::npos) break;
      continue;
    }
    // Every byte but those that continue a character.
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) ++width;
  }
  return width;
}

std::string PadRight(std::string_view text, size_t width) {
  return absl::StrCat(text, Padding(text, width));
}

std::string PadLeft(std::string_view text, size_t width) {
  return absl::StrCat(Padding(text, width), text);
}

std::string Cell(std::optional<double> value, int digits) {
  return value.has_value() ? absl::StrFormat("%.*f", digits, *value) : "-";
}

Table::Table(std::vector<std::string> header, std::vector<Align> align)
    : align_(std::move(align)) {
  rows_.push_back(std::move(header));
}

std::string Table::Line(const std::vector<std::string>& cells,
                        const std::vector<size_t>& widths) const {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    absl::StrAppend(&line, i == 0 ? "" : "  ",
                    AlignOf(i) == Align::kLeft ? PadRight(cells[i], widths[i])
                                               : PadLeft(cells[i], widths[i]));
  }
  return absl::StrCat(absl::StripTrailingAsciiWhitespace(line), "\n");
}

std::string Table::Render() const {
  std::vector<size_t> widths;
  for (const auto& row : rows_) {
    if (row.size() == 1 && rows_[0].size() > 1) continue;
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i]));
    }
  }
  // Sentences at the end of the lines are not padded, nor underlined.
  if (AlignOf(widths.size() - 1) == Align::kLeft) {
    widths.back() =
        rows_[0].size() < widths.size() ? 0 : DisplayWidth(rows_[0].back());
  }
  std::vector<std::string> dashes;
  for (const size_t width : widths) dashes.emplace_back(width, '-');
  std::string out = absl::StrCat(Line(rows_[0], widths), Line(dashes, widths));
  for (size_t i = 1; i < rows_.size(); ++i) {
    absl::StrAppend(&out, Line(rows_[i], widths));
  }
  return out;
}

}  // namespace hakmem::tools
