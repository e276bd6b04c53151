// What the worker asks of the library under test, besides memory. Found by
// name, since the worker is linked without it.
#ifndef HAKMEM_TOOLS_SOAK_LIBRARY_H_
#define HAKMEM_TOOLS_SOAK_LIBRARY_H_

#include "hakmem/hakmem.h"

namespace hakmem::soak {

// Null: the library has no such function.
struct Library {
  decltype(&::hakmem_collect) collect;
  decltype(&::hakmem_stats) stats;
  decltype(&::hakmem_stats_json) stats_json;
  // Walks all books; 0 when they agree.
  int (*check_heap)();
};

extern Library library;

// Once, at start.
void FindLibraryFunctions();

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_LIBRARY_H_
