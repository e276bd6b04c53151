// The kinds of calls to the operating system and libc that tests can make fail.
// Memory calls are made in os_memory.cc. Shared by both variants of os_calls.h.
#ifndef HAKMEM_BASE_OS_CALLS_OS_CALL_H_
#define HAKMEM_BASE_OS_CALLS_OS_CALL_H_

namespace hakmem::os {

enum class Call {
  kMmap,
  kMprotect,
  kMadvise,
  kMunmap,
  kMremap,
  kGetrlimit,
  kOpen,       // files in /proc and /sys, executables, outputs
  kThreadKey,  // pthread_key_create
  kAtFork,     // pthread_atfork
};

}  // namespace hakmem::os

#endif  // HAKMEM_BASE_OS_CALLS_OS_CALL_H_
