// What an x86-64 instruction does to the course of the program and to memory,
// told from the line that objdump prints for it.
#ifndef HAKMEM_TESTS_FAST_PATH_INSTRUCTION_H_
#define HAKMEM_TESTS_FAST_PATH_INSTRUCTION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hakmem::bench {

struct Instruction {
  // As objdump names it, "lock" and the like before it; without the size
  // suffixes that older versions give to ret, call, jmp, push, pop and leave.
  std::string mnemonic;
  // Operands in memory that it reads and that it writes: `add %eax,(%rdi)`
  // does both. What push, pop, call and ret do to the stack is not among them;
  // nor are addresses that are only computed or hinted at (lea, nop, prefetch).
  int loads = 0;
  int stores = 0;
  bool is_atomic = false;  // a locked access; an xchg with memory is one
  // Takes one of two ways. Conditional moves do not, nor do jumps and calls
  // that always go, be it to an address that they load.
  bool is_branch = false;
  bool is_jump = false;  // an unconditional one
  bool is_call = false;
  bool is_return = false;
  bool is_push_or_pop = false;

  // Control may go elsewhere than to what follows it.
  bool EndsBlock() const {
    return is_branch || is_jump || is_call || is_return;
  }
};

struct AddressedInstruction {
  uint64_t address;
  Instruction instruction;
};

// The instruction in a line of `objdump -d --no-show-raw-insn` (AT&T syntax);
// nothing when the line holds none.
std::optional<AddressedInstruction> ParseInstruction(absl::string_view line);

}  // namespace hakmem::bench

#endif  // HAKMEM_TESTS_FAST_PATH_INSTRUCTION_H_
