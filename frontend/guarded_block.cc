#include "frontend/guarded_block.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace hakmem {

// By number: gettid(3) is younger than some C libraries.
uint32_t ThisThread() { return static_cast<uint32_t>(syscall(SYS_gettid)); }

Deed Deed::Now(const void* caller) {
  Deed deed;
  deed.thread = ThisThread();
  NoteStack(caller, &deed.stack);
  return deed;
}

}  // namespace hakmem
