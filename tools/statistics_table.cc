// Prints the fields of hakmem_stats_t as the Markdown table that
// docs/guide/statistics.md holds. With the path of that file as argument,
// checks it instead, as options_table does.

#include <string>

#include "absl/strings/str_cat.h"
#include "tools/doc_table.h"

namespace {

struct Field {
  const char* name;
  const char* type;
  const char* doc;
};

constexpr Field kFields[] = {
#define HAKMEM_STATISTIC(name, type, doc) {#name, #type, doc},
#include "hakmem/statistics.def"
#undef HAKMEM_STATISTIC
};

std::string Table() {
  std::string table = "| field | type | what it tells |\n|---|---|---|\n";
  for (const Field& field : kFields) {
    const bool counts = field.type == std::string("Counter");
    absl::StrAppend(&table, "| `", field.name, "` | ",
                    counts ? "counter" : "gauge", " | ", field.doc, " |\n");
  }
  return table;
}

}  // namespace

int main(int argc, char** argv) {
  return hakmem::PrintOrCheckTable(Table(), "hakmem/statistics.def",
                                   argc == 1 ? nullptr : argv[1]);
}
