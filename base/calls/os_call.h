// The calls to the operating system that os_memory.cc makes, by kind: what a
// test may make fail. Shared by both variants of os_calls.h.
#ifndef HAKMEM_BASE_CALLS_OS_CALL_H_
#define HAKMEM_BASE_CALLS_OS_CALL_H_

namespace hakmem::os {

enum class Call { kMmap, kMprotect, kMadvise, kMunmap, kMremap };

}  // namespace hakmem::os

#endif  // HAKMEM_BASE_CALLS_OS_CALL_H_
