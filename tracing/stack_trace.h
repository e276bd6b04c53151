// The calling thread's stack, printed.
//
// By the compiler's unwind tables, which every program on x86-64 has, and not
// Abseil's GetStackTrace: that walks frame pointers, which neither this library
// nor most programs keep. Nor by absl::Symbolize, which needs the C++ runtime
// and ends the process when it gets no memory, as it may well not here.
//
// Names are those that the modules export (in their memory, so that no file is
// read); other places are module and offset, for addr2line.
#ifndef HAKMEM_TRACING_STACK_TRACE_H_
#define HAKMEM_TRACING_STACK_TRACE_H_

#include "base/options.h"

namespace hakmem {

// Sends a line for each of the innermost frames of the caller. Allocates
// nothing, takes no lock; needs some 4 KiB of stack; async-signal-safe.
void PrintStack(options::Option where);

}  // namespace hakmem

#endif  // HAKMEM_TRACING_STACK_TRACE_H_
