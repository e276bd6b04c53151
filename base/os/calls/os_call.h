// The calls to the operating system and to libc that may be refused, by kind:
// what a test may make fail. Those for memory are made in os_memory.cc. Shared
// by both variants of os_calls.h.
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
  kOpen,       // of files of /proc and /sys, of programs, of outputs
  kThreadKey,  // pthread_key_create
  kAtFork,     // pthread_atfork
};

}  // namespace hakmem::os

#endif  // HAKMEM_BASE_OS_CALLS_OS_CALL_H_
