// The calling thread's stack: printed, or captured to be printed later.
//
// Uses the compiler's unwind tables, which every program on x86-64 has. Not
// Abseil's GetStackTrace: it walks frame pointers, which neither this library
// nor most programs keep. Not absl::Symbolize: it needs the C++ runtime and
// aborts when out of memory, which is likely here.
//
// In a static program stacks are empty: its unwinder allocates.
//
// Each frame shows its module and the offset in it, for addr2line, and the name
// of the function (mangled) if the module's file has a symbol table
// (symbol_file.h) or exports it.
#ifndef HAKMEM_TRACING_STACKS_STACK_TRACE_H_
#define HAKMEM_TRACING_STACKS_STACK_TRACE_H_

#include <cstddef>
#include <cstdint>

#include "base/text/log.h"
#include "base/text/options.h"

namespace hakmem {

// The innermost frames of a stack, each as an address inside its current
// instruction: a call, except in the innermost frame.
struct StackTrace {
  static constexpr size_t kMaxFrames = 32;

  size_t count;
  uintptr_t frames[kMaxFrames];
};

// Stores the caller's frames in `*stack`, starting with the one that resumes at
// `from`: a return address, or the instruction that a signal interrupted. All
// frames if none does. Allocates nothing, takes no lock; needs some 2 KiB of
// stack; async-signal-safe.
void NoteStack(const void* from, StackTrace* stack);

// Where in memory the return addresses of a stack's frames lie.
struct StackSlots {
  uintptr_t at[StackTrace::kMaxFrames];
};

// Whether the return address at `slot` is that of the call at `frame`.
__attribute__((no_sanitize("address", "thread"))) inline bool HoldsReturnTo(
    uintptr_t slot, uintptr_t frame) {
  return *reinterpret_cast<const volatile uintptr_t*>(slot) == frame + 1;
}

// As NoteStack; returns whether `*slots` has the place of each frame's return
// address. It has not where a signal handler is among them, and only on x86-64.
bool NoteStackAndSlots(const void* from, StackTrace* stack, StackSlots* slots);

// Writes a line to stderr for each frame of `stack`; otherwise as PrintStack.
void PrintNotedStack(const StackTrace& stack);

// Writes a line for each of the caller's innermost frames. Omits the
// allocator's own: with `from`, all above the frame that resumes there; else,
// in the shared library, all before the first frame of another module.
// Allocates nothing, takes no lock; needs some 4 KiB of stack;
// async-signal-safe; keeps errno.
void PrintStack(options::Option where, const void* from = nullptr);

// The same as lines of JSON (base/text/json_line.h) of kind "frame": "sequence"
// as given, "frame" (its number, from 0), "address", and where they are known
// "module" (a path), "module_offset", "name" (mangled) and "name_offset".
// Addresses and offsets are strings: "0x11f7". Needs some 6 KiB of stack.
void PrintStackJson(options::Option where, uint64_t sequence,
                    const void* from = nullptr);

// Appends the path of the file whose code is at `address`, by its name in the
// loader; the program's if that does not know. Allocates nothing; may change
// errno.
void WriteModuleOf(uintptr_t address, TextBuffer& out);

}  // namespace hakmem

#endif  // HAKMEM_TRACING_STACKS_STACK_TRACE_H_
