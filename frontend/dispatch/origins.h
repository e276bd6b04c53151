// A block's origin, the function that allocated it: recorded when it is handed
// out, and compared with the function that frees it: new[] with delete[], new
// with delete, the malloc family with free.
//
// With --//hardening=full recorded for every block; with checks for those
// outside slabs, above 32 KiB, where it costs next to nothing; else for none.
#ifndef HAKMEM_FRONTEND_DISPATCH_ORIGINS_H_
#define HAKMEM_FRONTEND_DISPATCH_ORIGINS_H_

#include "backend/errors/block_call.h"
#include "backend/memory/pagemap_entry.h"
#include "hardening/block_origins.h"
#include "hardening/levels.h"

namespace hakmem {
namespace internal {

void NoteOrigin(const void* block, Origin origin);
void AbortOnOtherOrigin(PagemapEntry entry, BlockCall function);

}  // namespace internal

// Records that `block`, null or just allocated, is handed out by a function of
// kind `origin`.
inline void* WithOrigin(void* block, Origin origin) {
  if constexpr (kNotesOrigins) {
    if (block != nullptr) internal::NoteOrigin(block, origin);
  }
  return block;
}

// Aborts with one line when `entry` is a block in use that `function` may not
// free. Ignores any other address.
inline void CheckOrigin(PagemapEntry entry, BlockCall function) {
  if constexpr (kNotesOrigins) internal::AbortOnOtherOrigin(entry, function);
}

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_DISPATCH_ORIGINS_H_
