#include "tools/doc_table.h"

#include <fstream>
#include <iostream>
#include <sstream>

namespace hakmem {

int PrintOrCheckTable(const std::string& table, const std::string& list,
                      const char* document) {
  if (document == nullptr) {
    std::cout << table;
    return 0;
  }
  std::ifstream file(document);
  std::stringstream text;
  if (!(text << file.rdbuf())) {
    std::cerr << "cannot read " << document << "\n";
    return 2;
  }
  if (text.str().find("\n\n" + table + "\n") == std::string::npos) {
    std::cerr << document << ": its table is not the one of " << list
              << "; put this in its place:\n\n"
              << table;
    return 1;
  }
  return 0;
}

}  // namespace hakmem
