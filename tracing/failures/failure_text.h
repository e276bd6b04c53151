// A failure record as one line for people: what was asked, who refused, the
// figures that show why, and last what to do about it.
#ifndef HAKMEM_TRACING_FAILURES_FAILURE_TEXT_H_
#define HAKMEM_TRACING_FAILURES_FAILURE_TEXT_H_

#include "base/text/log.h"
#include "tracing/failures/failure_record.h"

namespace hakmem {

// Adds the line, without its end; at most kFailureTextBytes. Async-signal-safe.
inline constexpr size_t kFailureTextBytes = 1024;
[[gnu::cold]] void WriteFailure(const FailureRecord& record, TextBuffer& out);

// Adds a size as people read it: "37 bytes", "40 KiB", "1.5 MiB".
void WriteBytes(uint64_t bytes, TextBuffer& out);

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_FAILURE_TEXT_H_
