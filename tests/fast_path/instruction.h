// The effects of an x86-64 instruction on control flow and memory, from
// objdump's text.
#ifndef HAKMEM_TESTS_FAST_PATH_INSTRUCTION_H_
#define HAKMEM_TESTS_FAST_PATH_INSTRUCTION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hakmem::bench {

struct Instruction {
  // As printed by objdump, with prefixes such as "lock"; without the size
  // suffixes that older versions append to ret, call, jmp, push, pop and leave.
  std::string mnemonic;
  // Memory operands read and written: `add %eax,(%rdi)` does both. Excludes the
  // stack accesses of push, pop, call and ret, and addresses that are only
  // computed or hinted at (lea, nop, prefetch).
  int loads = 0;
  int stores = 0;
  bool is_atomic = false;  // a locked access, which includes xchg with memory
  // A conditional jump. Not a conditional move, nor an unconditional jump or
  // call, even to a loaded address.
  bool is_branch = false;
  bool is_jump = false;  // an unconditional one
  bool is_call = false;
  bool is_return = false;
  bool is_push_or_pop = false;

  // Whether control may continue elsewhere than at the next instruction.
  bool EndsBlock() const {
    return is_branch || is_jump || is_call || is_return;
  }
};

struct AddressedInstruction {
  uint64_t address;
  Instruction instruction;
};

// Parses a line of `objdump -d --no-show-raw-insn` (AT&T syntax); nothing if it
// contains no instruction.
std::optional<AddressedInstruction> ParseInstruction(absl::string_view line);

}  // namespace hakmem::bench

#endif  // HAKMEM_TESTS_FAST_PATH_INSTRUCTION_H_
