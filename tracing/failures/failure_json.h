// A failure as JSON: the log with HAKMEM_ACE_TRACE_FORMAT=json, one object per
// line. Every line has a "kind":
//
//   failure   one failure: "pid"; "dropped", the number of failures before it
//             that the limit of lines per second omitted; the fields below
//   frame     a frame of the stack of the failure with the same "pid" and
//             "sequence" (stack_trace.h)
//   dropped   as the process exits: the number omitted since the last line
//
// Async-signal-safe; allocates nothing.
#ifndef HAKMEM_TRACING_FAILURES_FAILURE_JSON_H_
#define HAKMEM_TRACING_FAILURES_FAILURE_JSON_H_

#include <cstddef>

#include "base/text/log.h"
#include "hakmem/hakmem.h"

namespace hakmem {

// More than any line of kind "failure" needs.
inline constexpr size_t kFailureJsonBytes = 2048;

// Writes the fields of `failure` under their names in hakmem_failure_t, codes
// as names, and then "error_name" (absent when the errno has none), "text" and
// "explanation" (failure_text.h), without the braces.
[[gnu::cold]] void WriteFailureJsonFields(const hakmem_failure_t& failure,
                                          TextBuffer& out);

}  // namespace hakmem

#endif  // HAKMEM_TRACING_FAILURES_FAILURE_JSON_H_
