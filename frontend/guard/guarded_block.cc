#include "frontend/guard/guarded_block.h"

#include "base/os/thread_id.h"

namespace hakmem {

uint32_t ThisThread() { return ThreadId(); }

CallSite CallSite::Now(const void* caller) {
  CallSite site;
  site.thread = ThisThread();
  NoteStack(caller, &site.stack);
  return site;
}

}  // namespace hakmem
