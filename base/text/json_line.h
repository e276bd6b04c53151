// Lines of JSON that the library writes for programs (JSON Lines): one object a
// line. Allocates nothing; async-signal-safe; keeps errno.
#ifndef HAKMEM_BASE_TEXT_JSON_LINE_H_
#define HAKMEM_BASE_TEXT_JSON_LINE_H_

#include <cstddef>
#include <cstdint>

#include "base/text/log.h"

namespace hakmem {

// Adds `{"kind":"KIND","pid":1234`. One system call, as WriteLinePrefix; "pid"
// is 0 when the system does not tell it.
void BeginJsonLine(const char* kind, TextBuffer& out);

// Adds `text`, truncated to `most` bytes, as a quoted JSON string. Invalid
// UTF-8 becomes U+FFFD.
void WriteJsonString(const char* text, TextBuffer& out, size_t most = SIZE_MAX);

}  // namespace hakmem

#endif  // HAKMEM_BASE_TEXT_JSON_LINE_H_
