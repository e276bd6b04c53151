// An LD_AUDIT library, which the loader calls for objects and symbols, long
// before constructors run. It allocates in each call, in a link namespace and
// from a C library of its own.
#include <link.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace {

void Allocate() {
  for (const size_t size : {10u, 1000u, 100'000u}) {
    void* block = malloc(size);
    if (block == nullptr) abort();
    memset(block, 1, size);
    free(block);
  }
}

}  // namespace

extern "C" {

unsigned la_version(unsigned) {
  Allocate();
  return LAV_CURRENT;
}

unsigned la_objopen(link_map*, Lmid_t, uintptr_t*) {
  Allocate();
  return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}

void la_activity(uintptr_t*, unsigned) { Allocate(); }

void la_preinit(uintptr_t*) { Allocate(); }

uintptr_t la_symbind64(Elf64_Sym* symbol, unsigned, uintptr_t*, uintptr_t*,
                       unsigned*, const char*) {
  Allocate();
  return symbol->st_value;
}

}  // extern "C"
