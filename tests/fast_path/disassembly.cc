#include "tests/fast_path/disassembly.h"

#include <stdio.h>
#include <sys/wait.h>

#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hakmem::bench {
namespace {

using absl::string_view;

// The shell's exit status for a missing command.
constexpr int kNoSuchCommand = 127;

std::string ShellQuote(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// The stdout of `command`, and its exit status (-1: none).
std::pair<std::string, int> Run(const std::string& command) {
  FILE* const pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) return {"", -1};
  std::string output;
  char buffer[65536];
  size_t length;
  while ((length = fread(buffer, 1, sizeof(buffer), pipe)) > 0) {
    output.append(buffer, length);
  }
  const int status = pclose(pipe);
  return {std::move(output), WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

}  // namespace

Disassembly::Disassembly(string_view objdump_output) {
  for (string_view line : absl::StrSplit(objdump_output, '\n')) {
    if (const auto parsed = ParseInstruction(line); parsed.has_value()) {
      instructions_.emplace(parsed->address, parsed->instruction);
      continue;
    }
    // "00000000000043a0 <free>:"
    const size_t space = line.find(" <");
    uint64_t address = 0;
    if (space != string_view::npos && absl::ConsumeSuffix(&line, ">:") &&
        absl::SimpleHexAtoi(line.substr(0, space), &address)) {
      functions_.emplace(address, line.substr(space + 2));
    }
  }
}

absl::StatusOr<Disassembly> Disassembly::Of(const std::string& library) {
  const auto [output, status] =
      Run(absl::StrCat("LC_ALL=C exec objdump -d -C --no-show-raw-insn -- ",
                       ShellQuote(library)));
  if (status == kNoSuchCommand) {
    return absl::UnavailableError("objdump is missing (binutils)");
  }
  Disassembly disassembly(output);
  if (status != 0 || disassembly.empty()) {
    return absl::InternalError(absl::StrCat("objdump cannot read ", library,
                                            " (exit status ", status, ")"));
  }
  return disassembly;
}

const Instruction* Disassembly::At(uint64_t address) const {
  const auto found = instructions_.find(address);
  return found == instructions_.end() ? nullptr : &found->second;
}

const std::string& Disassembly::FunctionAt(uint64_t address) const {
  static const std::string* const kNone = new std::string;
  const auto behind = functions_.upper_bound(address);
  return behind == functions_.begin() ? *kNone : std::prev(behind)->second;
}

}  // namespace hakmem::bench
