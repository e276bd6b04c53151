#include "frontend/guard/guarded_block.h"

#include "base/os/thread_id.h"

namespace hakmem {

uint32_t ThisThread() { return ThreadId(); }

Deed Deed::Now(const void* caller) {
  Deed deed;
  deed.thread = ThisThread();
  NoteStack(caller, &deed.stack);
  return deed;
}

}  // namespace hakmem
