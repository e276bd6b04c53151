// Writes lines to the destination of an option of type Output: stderr, or a
// file that is appended to.
//
//   if (options::Get(options::k_ace_trace) != 0) {
//     SendLine(options::k_ace_trace, text, length);
//   }
//
// The file is reopened for every line: the program could close a cached
// descriptor and reuse its number for a file of its own.
#ifndef HAKMEM_BASE_TEXT_OUTPUT_H_
#define HAKMEM_BASE_TEXT_OUTPUT_H_

#include <cstddef>

#include "base/text/options.h"

namespace hakmem {

// Writes `length` bytes of human-readable `text` as one line in one write,
// prefixed with "hakmem[1234]: " (WriteLinePrefix). A file that cannot be
// opened is reported once on stderr. Async-signal-safe; allocates nothing;
// keeps errno.
void SendLine(options::Option where, const char* text, size_t length);

// As SendLine, always to stderr.
void SendLineToStderr(const char* text, size_t length);

// As SendLine, for machine-readable text: a file gets `text` alone; on stderr,
// which other lines share, it is prefixed with "hakmem: ".
void SendData(options::Option where, const char* text, size_t length);

// The same without anything before it, also on stderr: for lines of JSON.
void SendBare(options::Option where, const char* text, size_t length);

}  // namespace hakmem

#endif  // HAKMEM_BASE_TEXT_OUTPUT_H_
