// Being told when a thread ends.
//
// One pthread key for the process. pthread calls destructors of keys in no
// stated order, and other keys' destructors may allocate and free after ours
// ran: the caller must serve such late calls without per-thread state.
//
// Not by `__cxa_thread_atexit_impl`, which would do without a key: glibc takes
// the dynamic loader's lock in it. A thread that first allocates while another
// one, inside dlopen, waits for it would hang.
#ifndef HAKMEM_BASE_OS_THREAD_EXIT_H_
#define HAKMEM_BASE_OS_THREAD_EXIT_H_

namespace hakmem {

// Creates the key; call once, before WatchThreadExit. Returns false when the
// process has no key left: threads then are never told of.
bool InitThreadExit(void (*on_exit)(void* state));

// Has on_exit(state) called when the calling thread ends; `state` not null.
// May allocate through malloc. Does not happen where there is no key or no
// memory to note the state, for a thread that ends with the process, nor for
// the main thread unless it calls pthread_exit.
void WatchThreadExit(void* state);

}  // namespace hakmem

#endif  // HAKMEM_BASE_OS_THREAD_EXIT_H_
