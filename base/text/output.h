// Lines of text to where an option of type Output sends them: stderr, or a file
// that is appended to.
//
//   if (options::Get(options::k_ace_trace) != 0) {
//     SendLine(options::k_ace_trace, text, length);
//   }
//
// A file is opened anew for every line: a descriptor that is kept could be
// closed by the program, and its number be the program's own file by then.
#ifndef HAKMEM_BASE_TEXT_OUTPUT_H_
#define HAKMEM_BASE_TEXT_OUTPUT_H_

#include <cstddef>

#include "base/text/options.h"

namespace hakmem {

// Sends `length` bytes of `text` for people as one line in one write, opened
// with "hakmem[1234]: " (WriteLinePrefix). A file that cannot be opened is
// reported once on stderr. Async-signal-safe; allocates nothing; keeps errno.
void SendLine(options::Option where, const char* text, size_t length);

// The same, always to stderr.
void SendLineToStderr(const char* text, size_t length);

// The same for programs to read: a file gets `text` alone, and stderr, where
// other lines stand beside it, has it opened with "hakmem: ".
void SendData(options::Option where, const char* text, size_t length);

}  // namespace hakmem

#endif  // HAKMEM_BASE_TEXT_OUTPUT_H_
