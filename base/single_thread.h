// Whether the process has one thread: then nobody is there to exclude, and an
// atomic read-modify-write, which waits for every store before it to reach the
// cache, can be a plain one. (glibc's own malloc does the same.)
#ifndef HAKMEM_BASE_SINGLE_THREAD_H_
#define HAKMEM_BASE_SINGLE_THREAD_H_

// glibc's, since 2.32: true only while the calling thread is the only one. A
// second thread can only be made by the calling one, so the answer holds until
// it makes one. Null, and the answer no, where the C library has none.
extern "C" __attribute__((weak)) char __libc_single_threaded;

namespace hakmem {

inline bool IsSingleThreaded() {
  return &__libc_single_threaded != nullptr && __libc_single_threaded != 0;
}

}  // namespace hakmem

#endif  // HAKMEM_BASE_SINGLE_THREAD_H_
