// The machine code of a shared library by instruction, from objdump's output.
#ifndef HAKMEM_TESTS_FAST_PATH_DISASSEMBLY_H_
#define HAKMEM_TESTS_FAST_PATH_DISASSEMBLY_H_

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/fast_path/instruction.h"

namespace hakmem::bench {

// Addresses are those in the file.
class Disassembly {
 public:
  // Parses the output of `objdump -d -C --no-show-raw-insn`.
  explicit Disassembly(absl::string_view objdump_output);

  // Runs objdump on `library`. The error is kUnavailable if it is not
  // installed.
  static absl::StatusOr<Disassembly> Of(const std::string& library);

  // The instruction that begins at `address`; null if none does.
  const Instruction* At(uint64_t address) const;

  // The last function that begins at or before `address`; "" if there is none.
  const std::string& FunctionAt(uint64_t address) const;

  bool empty() const { return instructions_.empty(); }

 private:
  std::unordered_map<uint64_t, Instruction> instructions_;
  std::map<uint64_t, std::string> functions_;  // by their first address
};

}  // namespace hakmem::bench

#endif  // HAKMEM_TESTS_FAST_PATH_DISASSEMBLY_H_
