// Thread-exit callback.
//
// One pthread key for the process. pthread runs key destructors in no specified
// order, and those of other keys may allocate and free after ours ran: the
// caller must serve such late calls without per-thread state.
//
// `__cxa_thread_atexit_impl` would need no key, but glibc takes the dynamic
// loader's lock in it: a thread's first allocation would deadlock while another
// thread, inside dlopen, waits for that thread.
#ifndef HAKMEM_BASE_OS_THREAD_EXIT_H_
#define HAKMEM_BASE_OS_THREAD_EXIT_H_

namespace hakmem {

// Creates the key; call once, before WatchThreadExit. Returns false when the
// process has no key left: then no callback ever runs.
bool InitThreadExit(void (*on_exit)(void* state));

// Has on_exit(state) called when the calling thread ends; `state` not null. May
// allocate through malloc. The callback does not run if there is no key, no
// memory to store the state, the thread ends with the process, or it is the
// main thread and does not call pthread_exit.
void WatchThreadExit(void* state);

}  // namespace hakmem

#endif  // HAKMEM_BASE_OS_THREAD_EXIT_H_
