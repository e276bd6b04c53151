// glibc's lock of the list of all streams, over fork.
//
// glibc's fork takes it after the pthread_atfork handlers, hence after an
// allocator's locks. A thread in fflush(NULL) holds it while it waits for a
// stream whose owner allocates (getline): with the allocator's locks taken
// first, these three deadlock (glibc bug 19431). So our fork handlers take it
// before the allocator's locks. glibc exports it for that purpose
// (`_IO_list_lock`); it is recursive, so fork can take it again.
//
// No-op where the C library has no such functions (musl, which does not call a
// replaced malloc with such locks held).
#ifndef HAKMEM_BASE_OS_STREAM_LOCKS_H_
#define HAKMEM_BASE_OS_STREAM_LOCKS_H_

namespace hakmem {

class StreamLocks {
 public:
  // Before fork. May block: the caller holds no lock of the allocator's.
  static void Lock();

  // In the parent.
  static void Unlock();

  // In the child, whatever state the lock is in.
  static void Reset();
};

}  // namespace hakmem

#endif  // HAKMEM_BASE_OS_STREAM_LOCKS_H_
