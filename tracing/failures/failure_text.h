// A failure as a sentence: the request, the layer that refused it, the figures
// that show why, and last what to do about it. Async-signal-safe.
#ifndef HAKMEM_TRACING_FAILURES_FAILURE_TEXT_H_
#define HAKMEM_TRACING_FAILURES_FAILURE_TEXT_H_

#include "base/text/log.h"
#include "hakmem/hakmem.h"

namespace hakmem {

// More than any of the three functions below writes.
inline constexpr size_t kFailureTextBytes = 1024;

// "failure 12, thread 345: " and the sentence: the log line, without newline.
[[gnu::cold]] void WriteFailureLine(const hakmem_failure_t& failure,
                                    TextBuffer& out);

// "malloc of 1 GiB: MapFail in large, RLIMIT_AS, ENOMEM: " and the explanation.
[[gnu::cold]] void WriteFailureText(const hakmem_failure_t& failure,
                                    TextBuffer& out);

// "the system refused 1 GiB for a large block; ...: raise RLIMIT_AS ...".
[[gnu::cold]] void WriteFailureExplanation(const hakmem_failure_t& failure,
                                           TextBuffer& out);

// Writes a size for reading: "37 bytes", "40 KiB", "1.5 MiB".
void WriteBytes(uint64_t bytes, TextBuffer& out);

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_FAILURE_TEXT_H_
