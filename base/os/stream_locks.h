// The C library's lock of the list of all streams, over fork.
//
// glibc's fork takes it after the handlers of pthread_atfork, so after an
// allocator's locks. A thread in fflush(NULL) holds it while it waits for a
// stream whose owner allocates (getline): with the allocator's locks taken
// first, all three wait for one another (glibc bug 19431). So fork handlers
// take it before the allocator's locks. glibc exports it for that
// (`_IO_list_lock`); its owner may take it again, as fork then does.
//
// Without effect where the C library has no such functions (musl, whose own
// code does not call a replaced malloc with such locks held).
#ifndef HAKMEM_BASE_OS_STREAM_LOCKS_H_
#define HAKMEM_BASE_OS_STREAM_LOCKS_H_

namespace hakmem {

class StreamLocks {
 public:
  // Before fork. May wait, so no lock of the allocator's may be held.
  static void Lock();

  // In the parent.
  static void Unlock();

  // In the child, whatever state the lock is in.
  static void Reset();
};

}  // namespace hakmem

#endif  // HAKMEM_BASE_OS_STREAM_LOCKS_H_
