// Functions of the library under test, other than malloc's. Looked up by name:
// the worker is linked without the library.
#ifndef HAKMEM_TOOLS_SOAK_LIBRARY_H_
#define HAKMEM_TOOLS_SOAK_LIBRARY_H_

#include "hakmem/hakmem.h"

namespace hakmem::soak {

// Null where the library has no such function.
struct Library {
  decltype(&::hakmem_collect) collect;
  decltype(&::hakmem_stats) stats;
  decltype(&::hakmem_stats_json) stats_json;
  // Verifies all metadata; 0 when it is consistent.
  int (*check_heap)();
};

extern Library library;

// Call it once, at start.
void FindLibraryFunctions();

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_LIBRARY_H_
