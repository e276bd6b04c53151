// Prints the options as the Markdown table that README.md holds. With the path
// of a README as argument, checks that it holds exactly this table instead:
// exit status 1 when it does not, 2 when it cannot be read.

#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/text/options.h"

namespace {

namespace options = hakmem::options;

std::string Table() {
  std::string table = "| variable | type | default | range | what it does |\n";
  absl::StrAppend(&table, "|---|---|---|---|---|\n");
  for (size_t i = 0; i < options::kCount; ++i) {
    const options::Description& d =
        options::Describe(static_cast<options::Option>(i));
    const bool is_format = d.type == options::Type::kFormat;
    absl::StrAppend(
        &table, "| `", d.environment, "` | ", options::TypeName(d.type), " | ",
        is_format ? options::FormatName(d.fallback) : absl::StrCat(d.fallback),
        " | ",
        is_format ? "auto, text, json" : absl::StrCat(d.least, " to ", d.most),
        " | ", d.doc, " |\n");
  }
  return table;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 1) {
    std::cout << Table();
    return 0;
  }
  std::ifstream file(argv[1]);
  std::stringstream text;
  if (argc != 2 || !(text << file.rdbuf())) {
    std::cerr << "options_table: cannot read " << argv[1] << "\n";
    return 2;
  }
  if (text.str().find("\n\n" + Table() + "\n") == std::string::npos) {
    std::cerr << argv[1] << ": its table of options is not the one of "
              << "base/text/options.def; put this in its place:\n\n"
              << Table();
    return 1;
  }
  return 0;
}
