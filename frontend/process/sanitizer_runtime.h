// A sanitizer in the process: a runtime that has a malloc of its own, and needs
// it. Used by housekeeping, before anything else is done.
//
// Two ways it can come about when libhakmem.so is preloaded:
//   runtime in the program (clang's default)   its malloc comes first, ours is
//     never called: one line says that preloading does nothing, if the program
//     exports what the runtime is known by (with gcc it does not)
//   runtime in a library (gcc's default)       our malloc comes first, and is
//     called while the runtime is not ready: functions of libc that we call are
//     the runtime's, which crash. One line, and the process ends with status 1,
//     as AddressSanitizer itself would have it.
// A program with a sanitizer that calls hakmem_malloc by name is served.
#ifndef HAKMEM_FRONTEND_PROCESS_SANITIZER_RUNTIME_H_
#define HAKMEM_FRONTEND_PROCESS_SANITIZER_RUNTIME_H_

namespace hakmem {

// Ends the process with one line when ours is the malloc of a program that a
// sanitizer should serve. Calls nothing that a sanitizer intercepts; a few
// loads when there is none.
void RefuseToReplaceASanitizer();

// Says so, when a sanitizer serves the program in spite of LD_PRELOAD.
void TellWhenASanitizerServes();

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_PROCESS_SANITIZER_RUNTIME_H_
