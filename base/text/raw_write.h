// Writing to a file descriptor from anywhere, without harm to the program.
//
// Never a cancellation point, never a SIGPIPE, keeps errno. Allocates nothing,
// takes no lock; async-signal-safe.
#ifndef HAKMEM_BASE_TEXT_RAW_WRITE_H_
#define HAKMEM_BASE_TEXT_RAW_WRITE_H_

#include <sys/uio.h>

namespace hakmem {

// Writes all of `parts`, in one system call unless the kernel takes less; then
// the rest follows. `parts` is used up. Errors end it: there is nowhere to
// report them.
void RawWrite(int file, iovec* parts, int count);

}  // namespace hakmem

#endif  // HAKMEM_BASE_TEXT_RAW_WRITE_H_
