// What a block was allocated by, noted as it is handed out, and compared with
// what it is freed by: new[] with delete[], new with delete, malloc and its
// like with free.
//
// With --//hardening=full of every block; with checks of those outside slabs,
// above 32 KiB, where a note costs nothing beside the rest; else of none.
#ifndef HAKMEM_FRONTEND_DISPATCH_ORIGINS_H_
#define HAKMEM_FRONTEND_DISPATCH_ORIGINS_H_

#include "backend/errors/block_call.h"
#include "backend/memory/found.h"
#include "hardening/block_origins.h"
#include "hardening/levels.h"

namespace hakmem {
namespace internal {

void NoteOrigin(const void* block, Origin origin);
void AbortOnOtherOrigin(Found found, BlockCall function);

}  // namespace internal

// `block`, null or just allocated, which is handed out by a function of the
// kind `origin`.
inline void* WithOrigin(void* block, Origin origin) {
  if constexpr (kNotesOrigins) {
    if (block != nullptr) internal::NoteOrigin(block, origin);
  }
  return block;
}

// Aborts with one line when what was found at an address is a block in use that
// `function` is not for. Says nothing of any other address.
inline void CheckOrigin(Found found, BlockCall function) {
  if constexpr (kNotesOrigins) internal::AbortOnOtherOrigin(found, function);
}

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_DISPATCH_ORIGINS_H_
