// Finds the functions and source lines of a profile's locations.
#ifndef HAKMEM_TOOLS_HEAP_PROFILE_SYMBOLIZE_H_
#define HAKMEM_TOOLS_HEAP_PROFILE_SYMBOLIZE_H_

#include <string_view>
#include <vector>

#include "tools/heap_profile/heap_profile.h"

namespace hakmem::tools {

// Sets the lines of every location. Asks addr2line, which reads debug
// information, also that of Debian's -dbgsym packages and inlined functions;
// else llvm-symbolizer; where neither is installed or knows, the symbol table
// of the file. What nobody knows is called "module+0x123".
void Symbolize(HeapProfile& profile);

// What addr2line printed with -a -f -i for `count` addresses, in their order.
// Unknown functions have empty names. Exposed for testing.
std::vector<std::vector<SourceLine>> ParseAddr2line(std::string_view output,
                                                    size_t count);

}  // namespace hakmem::tools

#endif  // HAKMEM_TOOLS_HEAP_PROFILE_SYMBOLIZE_H_
