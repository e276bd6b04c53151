#include "tests/fast_path/instruction.h"

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace hakmem::bench {
namespace {

using absl::string_view;
using Names = std::initializer_list<string_view>;

bool IsOneOf(string_view name, Names names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Whether `name` is one of `names`, with or without a size suffix.
bool IsOneOfAnySize(string_view name, Names names) {
  if (IsOneOf(name, names)) return true;
  return !name.empty() && absl::StrContains("bwlq", name.back()) &&
         IsOneOf(name.substr(0, name.size() - 1), names);
}

bool StartsWithOneOf(string_view name, Names names) {
  return std::any_of(names.begin(), names.end(), [name](string_view start) {
    return absl::StartsWith(name, start);
  });
}

// Prefixes that affect the instruction.
bool IsTellingPrefix(string_view name) {
  return IsOneOf(name, {"lock", "rep", "repz", "repe", "repnz", "repne"});
}

bool IsOtherPrefix(string_view name) {
  return IsOneOf(name, {"notrack", "bnd", "data16", "addr32", "cs", "ds", "es",
                        "ss", "fs", "gs", "xacquire", "xrelease"}) ||
         absl::StartsWith(name, "rex");
}

// Removes the first word from `text` and returns it.
string_view TakeWord(string_view& text) {
  text = absl::StripLeadingAsciiWhitespace(text);
  const string_view word = text.substr(0, text.find_first_of(" \t"));
  text = absl::StripAsciiWhitespace(text.substr(word.size()));
  return word;
}

// Splits at commas outside parentheses: "%fs:8(%rax,%rcx,2),%edx" has two
// parts.
std::vector<string_view> SplitOperands(string_view text) {
  std::vector<string_view> operands;
  size_t begin = 0;
  int depth = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '(') ++depth;
    if (i < text.size() && text[i] == ')') --depth;
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      if (i > begin) operands.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  return operands;
}

// Not for targets of direct jumps, which look like absolute addresses.
bool IsMemory(string_view operand) {
  if (absl::StartsWith(operand, "$")) return false;
  if (!absl::StartsWith(operand, "%")) return true;
  if (absl::StartsWith(operand, "%st")) return false;  // %st(1): of the x87
  return absl::StrContains(operand, ':');              // %fs:0x28
}

// Whether the last operand is only read, unlike in most instructions.
bool OnlyReadsLast(string_view name, size_t operand_count) {
  if (IsOneOfAnySize(name, {"cmp", "test", "bt", "cmps"})) return true;
  if (operand_count > 1) return false;
  return IsOneOfAnySize(name, {"mul", "imul", "div", "idiv", "push"}) ||
         IsOneOf(name, {"ldmxcsr", "vldmxcsr"}) ||
         (absl::StartsWith(name, "f") &&
          !StartsWithOneOf(name, {"fst", "fist"}));
}

// Whether the last operand is written without being read.
bool OnlyWritesLast(string_view name) {
  return IsOneOfAnySize(name, {"pop", "stos"}) ||
         StartsWithOneOf(
             name, {"mov", "vmov", "vpmov", "vmaskmov", "vpmaskmov", "kmov",
                    "set", "pextr", "vpextr", "extractps", "vextract",
                    "stmxcsr", "vstmxcsr", "fst", "fist"});
}

void CountMemory(string_view name, const std::vector<string_view>& operands,
                 Instruction& instruction) {
  if (StartsWithOneOf(name, {"lea", "nop", "prefetch", "clflush"})) return;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (!IsMemory(operands[i])) continue;
    const bool is_last = i + 1 == operands.size();
    if (IsOneOfAnySize(name, {"xchg"})) {
      ++instruction.loads;
      ++instruction.stores;
      instruction.is_atomic = true;
    } else if (!is_last || OnlyReadsLast(name, operands.size())) {
      ++instruction.loads;
    } else {
      ++instruction.stores;
      if (!OnlyWritesLast(name)) ++instruction.loads;
    }
  }
}

Instruction Classify(string_view text) {
  Instruction instruction;
  string_view name = TakeWord(text);
  std::string prefixes;
  while (!text.empty() && (IsTellingPrefix(name) || IsOtherPrefix(name))) {
    if (name == "lock") instruction.is_atomic = true;
    if (IsTellingPrefix(name)) absl::StrAppend(&prefixes, name, " ");
    name = TakeWord(text);
  }
  if (IsOneOf(name, {"retq", "callq", "jmpq", "pushq", "popq", "leaveq"})) {
    name = absl::StripSuffix(name, "q");
  }
  // A rep before ret is padding.
  instruction.mnemonic = name == "ret" ? "ret" : absl::StrCat(prefixes, name);
  instruction.is_call = name == "call";
  instruction.is_return = name == "ret";
  instruction.is_jump = name == "jmp";
  instruction.is_branch = (absl::StartsWith(name, "j") && name != "jmp") ||
                          absl::StartsWith(name, "loop");
  instruction.is_push_or_pop =
      IsOneOf(name, {"push", "pop", "leave", "pushf", "popf"});
  if (instruction.EndsBlock()) {
    // `call *8(%rax)` loads its target, `call *%rax` does not.
    instruction.loads =
        absl::ConsumePrefix(&text, "*") && IsMemory(text) ? 1 : 0;
  } else {
    CountMemory(name, SplitOperands(text), instruction);
  }
  return instruction;
}

}  // namespace

std::optional<AddressedInstruction> ParseInstruction(string_view line) {
  // "    43a9:\tjmp    4330 <name>", "  43b0:\tmov 8(%rip),%rax  # 2eeb0
  // <name>"
  const size_t colon = line.find(":\t");
  if (colon == string_view::npos) return std::nullopt;
  const string_view digits =
      absl::StripLeadingAsciiWhitespace(line.substr(0, colon));
  uint64_t address = 0;
  if (!absl::SimpleHexAtoi(digits, &address)) return std::nullopt;
  // Names may contain commas and parentheses.
  string_view text = line.substr(colon + 2);
  text = absl::StripAsciiWhitespace(text.substr(0, text.find_first_of("<#")));
  if (text.empty()) return std::nullopt;
  return AddressedInstruction{address, Classify(text)};
}

}  // namespace hakmem::bench
