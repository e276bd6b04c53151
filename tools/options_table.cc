// Prints the options as the Markdown table that docs/guide/options.md holds, or
// with --man as the list in hakmem(1). With the path of that file as argument,
// checks that it holds exactly this table instead: exit status 1 when it does
// not, 2 when it cannot be read.

#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/text/options.h"
#include "tools/doc_table.h"

namespace {

namespace options = hakmem::options;

std::string Default(const options::Description& option) {
  return option.type == options::Type::kFormat
             ? options::FormatName(option.fallback)
             : absl::StrCat(option.fallback);
}

std::string Range(const options::Description& option) {
  return option.type == options::Type::kFormat
             ? "auto, text, json"
             : absl::StrCat(option.least, " to ", option.most);
}

std::string Table() {
  std::string table = "| variable | type | default | range | what it does |\n";
  absl::StrAppend(&table, "|---|---|---|---|---|\n");
  for (size_t i = 0; i < options::kCount; ++i) {
    const options::Description& d =
        options::Describe(static_cast<options::Option>(i));
    absl::StrAppend(&table, "| `", d.environment, "` | ",
                    options::TypeName(d.type), " | ", Default(d), " | ",
                    Range(d), " | ", d.doc, " |\n");
  }
  return table;
}

// Paragraphs in the language of man pages.
std::string Manual() {
  std::string text;
  for (size_t i = 0; i < options::kCount; ++i) {
    const options::Description& d =
        options::Describe(static_cast<options::Option>(i));
    absl::StrAppend(&text, ".TP\n.B ", d.environment, "\n",
                    absl::StrReplaceAll(d.doc, {{"-", "\\-"}}), "\n(",
                    options::TypeName(d.type), ", ", Range(d), "; default ",
                    Default(d), ")\n");
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && argv[1] == std::string("--man")) {
    std::cout << Manual();
    return 0;
  }
  return hakmem::PrintOrCheckTable(Table(), "base/text/options.def",
                                   argc == 1 ? nullptr : argv[1]);
}
