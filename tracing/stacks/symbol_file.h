// Names of functions, from the symbol table of a module's file: what debuggers
// read, which also names functions that are not exported.
#ifndef HAKMEM_TRACING_STACKS_SYMBOL_FILE_H_
#define HAKMEM_TRACING_STACKS_SYMBOL_FILE_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

struct FoundSymbol {
  uintptr_t start = 0;  // of the function, as the place asked for
  char name[200] = "";  // mangled; cut when it is longer
};

// Finds the function of the ELF file `path` that `place`, an address as the
// file counts them, lies in. Returns false when the file cannot be read, holds
// no symbol table or no such function.
//
// System calls only, allocates nothing, needs some 1.5 KiB of stack;
// async-signal-safe. Changes errno. Reads the whole symbol table.
bool FindSymbol(const char* path, uintptr_t place, FoundSymbol* found);

}  // namespace hakmem

#endif  // HAKMEM_TRACING_STACKS_SYMBOL_FILE_H_
