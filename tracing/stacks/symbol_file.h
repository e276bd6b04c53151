// What a module's file says for debuggers: function names from its symbol
// table, which also contains functions that are not exported, and its build id.
#ifndef HAKMEM_TRACING_STACKS_SYMBOL_FILE_H_
#define HAKMEM_TRACING_STACKS_SYMBOL_FILE_H_

#include <cstddef>
#include <cstdint>

namespace hakmem {

struct FoundSymbol {
  uintptr_t start = 0;  // of the function, in the same addresses as `place`
  char name[200] = "";  // mangled; truncated if longer
};

// Finds the function of the ELF file `path` that contains `place`, an address
// as in the file. Returns false if the file cannot be read, or has no symbol
// table or no such function.
//
// System calls only, allocates nothing, needs some 1.5 KiB of stack;
// async-signal-safe. Changes errno. Reads the whole symbol table.
bool FindSymbol(const char* path, uintptr_t place, FoundSymbol* found);

// The note by which a linker marks a build (--build-id).
struct BuildId {
  size_t length = 0;
  uint8_t bytes[32];
};

// Reads the build id of the ELF file `path`; false if it has none. As
// FindSymbol otherwise.
bool ReadBuildId(const char* path, BuildId* id);

}  // namespace hakmem

#endif  // HAKMEM_TRACING_STACKS_SYMBOL_FILE_H_
