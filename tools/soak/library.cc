#include "tools/soak/library.h"

#include <dlfcn.h>

namespace hakmem::soak {
namespace {

template <typename Function>
void Find(const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

}  // namespace

Library library = {};

void FindLibraryFunctions() {
  Find("hakmem_collect", library.collect);
  Find("hakmem_stats", library.stats);
  Find("hakmem_stats_json", library.stats_json);
  Find("hakmem_check_heap", library.check_heap);
}

}  // namespace hakmem::soak
