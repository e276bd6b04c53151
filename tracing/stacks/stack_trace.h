// The calling thread's stack: printed, or noted to be printed later.
//
// By the compiler's unwind tables, which every program on x86-64 has, and not
// Abseil's GetStackTrace: that walks frame pointers, which neither this library
// nor most programs keep. Nor by absl::Symbolize, which needs the C++ runtime
// and ends the process when it gets no memory, as it may well not here.
//
// A static program has no stacks, which are empty then: its unwinder allocates.
//
// Each frame is its module and the offset in it, for addr2line, and the name of
// the function (mangled) where the module's file has a symbol table
// (symbol_file.h) or exports it.
#ifndef HAKMEM_TRACING_STACKS_STACK_TRACE_H_
#define HAKMEM_TRACING_STACKS_STACK_TRACE_H_

#include <cstddef>
#include <cstdint>

#include "base/text/options.h"

namespace hakmem {

// The innermost frames of a stack, each an address inside the instruction that
// it is at, which for all but the innermost is a call.
struct StackTrace {
  static constexpr size_t kMostFrames = 32;

  size_t count;
  uintptr_t frames[kMostFrames];
};

// Notes the frames of the caller in `*stack`, from the one on that goes on at
// `from`: a return address, or the instruction that a signal interrupted. All
// of them when there is no such frame. Allocates nothing, takes no lock; needs
// some 2 KiB of stack; async-signal-safe.
void NoteStack(const void* from, StackTrace* stack);

// Sends a line to stderr for each frame of `stack`; as PrintStack otherwise.
void PrintNotedStack(const StackTrace& stack);

// Sends a line for each of the innermost frames of the caller. Those of the
// allocator are left out: where `from` is given, all above the frame that goes
// on there; else, in the shared library, all before the first of another
// module. Allocates nothing, takes no lock; needs some 4 KiB of stack;
// async-signal-safe; keeps errno.
void PrintStack(options::Option where, const void* from = nullptr);

}  // namespace hakmem

#endif  // HAKMEM_TRACING_STACKS_STACK_TRACE_H_
