// The names of the errors that system calls made here can give.
#ifndef HAKMEM_BASE_TEXT_ERRNO_NAME_H_
#define HAKMEM_BASE_TEXT_ERRNO_NAME_H_

namespace hakmem {

// "ENOMEM" for ENOMEM; null for an error that is not in the list. Static
// storage; async-signal-safe.
const char* ErrnoName(int error);

}  // namespace hakmem

#endif  // HAKMEM_BASE_TEXT_ERRNO_NAME_H_
