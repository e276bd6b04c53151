// Writes to a file descriptor from anywhere, without side effects on the
// program: no cancellation point, no SIGPIPE, errno kept. Allocates nothing,
// takes no lock; async-signal-safe.
#ifndef HAKMEM_BASE_TEXT_RAW_WRITE_H_
#define HAKMEM_BASE_TEXT_RAW_WRITE_H_

#include <sys/uio.h>

namespace hakmem {

// Writes all of `parts`, in one system call unless the kernel accepts less;
// then repeats. Modifies `parts`. Stops at an error, which it has no way to
// report.
void RawWrite(int file, iovec* parts, int count);

}  // namespace hakmem

#endif  // HAKMEM_BASE_TEXT_RAW_WRITE_H_
