// Names of the errors that the system calls made here can return.
#ifndef HAKMEM_BASE_TEXT_ERRNO_NAME_H_
#define HAKMEM_BASE_TEXT_ERRNO_NAME_H_

namespace hakmem {

// "ENOMEM" for ENOMEM; null for an unknown error. Static storage;
// async-signal-safe.
const char* ErrnoName(int error);

}  // namespace hakmem

#endif  // HAKMEM_BASE_TEXT_ERRNO_NAME_H_
