// Detects a sanitizer's runtime in the process. A program built with a
// sanitizer must use the sanitizer's malloc. Called by begin.cc, before
// anything else.
//
// Two cases when libhakmem.so is preloaded:
//   runtime in the program (clang's default)   its malloc comes first, ours is
//     never called: one line says that preloading has no effect, if the program
//     exports the runtime's symbols (with gcc it does not)
//   runtime in a library (gcc's default)       our malloc comes first, and is
//     called before the runtime is ready: the libc functions we call are the
//     runtime's, which crash. One line, and the process exits with status 1, as
//     with AddressSanitizer's own checks.
// A program with a sanitizer that calls hakmem_malloc by name is served.
#ifndef HAKMEM_FRONTEND_PROCESS_SANITIZER_RUNTIME_H_
#define HAKMEM_FRONTEND_PROCESS_SANITIZER_RUNTIME_H_

namespace hakmem {

// Ends the process with one line when this is the malloc of a program that a
// sanitizer should serve. Calls nothing that a sanitizer intercepts; costs a
// few loads when there is none.
void ExitIfReplacingSanitizerMalloc();

// Reports when a sanitizer serves the program in spite of LD_PRELOAD.
void WarnIfSanitizerMallocServes();

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_PROCESS_SANITIZER_RUNTIME_H_
