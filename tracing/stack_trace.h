// The calling thread's stack, printed.
//
// By the compiler's unwind tables, which every program on x86-64 has, and not
// Abseil's GetStackTrace: that walks frame pointers, which neither this library
// nor most programs keep. Nor by absl::Symbolize, which needs the C++ runtime
// and ends the process when it gets no memory, as it may well not here.
//
// Each frame is its module and the offset in it, for addr2line, and the name of
// the function (mangled) where the module's file has a symbol table
// (symbol_file.h) or exports it.
#ifndef HAKMEM_TRACING_STACK_TRACE_H_
#define HAKMEM_TRACING_STACK_TRACE_H_

#include "base/options.h"

namespace hakmem {

// Sends a line for each of the innermost frames of the caller. Allocates
// nothing, takes no lock; needs some 4 KiB of stack; async-signal-safe; keeps
// errno.
void PrintStack(options::Option where);

}  // namespace hakmem

#endif  // HAKMEM_TRACING_STACK_TRACE_H_
