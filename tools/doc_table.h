// A Markdown table of a document, made from a list in the code.
#ifndef HAKMEM_TOOLS_DOC_TABLE_H_
#define HAKMEM_TOOLS_DOC_TABLE_H_

#include <string>

namespace hakmem {

// Prints `table`, made from the file `list`; with the path of a document,
// checks that it holds exactly this table, between empty lines. Returns the
// exit status: 1 when it does not, 2 when it cannot be read.
int PrintOrCheckTable(const std::string& table, const std::string& list,
                      const char* document);

}  // namespace hakmem

#endif  // HAKMEM_TOOLS_DOC_TABLE_H_
