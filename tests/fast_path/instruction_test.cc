#include "tests/fast_path/instruction.h"

#include <ostream>
#include <string>

#include "gtest/gtest.h"
#include "tests/fast_path/disassembly.h"

namespace hakmem::bench {
namespace {

Instruction Parse(const std::string& text) {
  const auto parsed = ParseInstruction("    43b0:\t" + text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed.has_value() ? parsed->instruction : Instruction();
}

struct Accesses {
  int loads;
  int stores;
  bool is_atomic;
  bool operator==(const Accesses&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Accesses& accesses) {
    return out << accesses.loads << " loads, " << accesses.stores << " stores"
               << (accesses.is_atomic ? ", atomic" : "");
  }
};

constexpr Accesses kNone = {0, 0, false};
constexpr Accesses kLoad = {1, 0, false};
constexpr Accesses kStore = {0, 1, false};
constexpr Accesses kBoth = {1, 1, false};
constexpr Accesses kAtomic = {1, 1, true};

Accesses AccessesOf(const std::string& text) {
  const Instruction instruction = Parse(text);
  return {instruction.loads, instruction.stores, instruction.is_atomic};
}

TEST(ParseInstruction, ReadsAddressAndMnemonic) {
  const auto parsed = ParseInstruction(
      "    43b0:\tmov    0x2aaf9(%rip),%rax        # 2eeb0 <_GLOBAL_+0xb8>");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->address, 0x43b0u);
  EXPECT_EQ(parsed->instruction.mnemonic, "mov");
}

TEST(ParseInstruction, SkipsLinesWithoutOne) {
  for (const char* const line :
       {"", "00000000000043a0 <free>:", "Disassembly of section .text:",
        "libhakmem-segment.so:     file format elf64-x86-64", "    43b0:\t",
        "    ...", "nothing:\tmov"}) {
    EXPECT_FALSE(ParseInstruction(line).has_value()) << line;
  }
}

TEST(ParseInstruction, RegistersAndConstantsAreNoMemory) {
  for (const char* const text :
       {"mov    %rdi,%rax", "shr    $0x2f,%rax", "test   %rdx,%rdx",
        "mov    $0x1,%eax", "imul   $0x38,%rax,%rax", "pxor   %xmm0,%xmm0",
        "fadd   %st(1),%st", "cqto", "sete   %al", "xchg   %ax,%ax",
        "xchg   %rax,%rdx", "bswap  %eax", "vzeroupper", "endbr64"}) {
    EXPECT_EQ(AccessesOf(text), kNone) << text;
  }
}

TEST(ParseInstruction, AddressesThatAreNotUsedAreNoAccess) {
  for (const char* const text :
       {"lea    0x5b597(%rip),%rax        # 5f960 <root>",
        "lea    (%rcx,%rdx,8),%rsi", "nopw   0x0(%rax,%rax,1)",
        "cs nopw 0x0(%rax,%rax,1)", "data16 cs nopw 0x0(%rax,%rax,1)",
        "nopl   0x0(%rax)", "prefetcht0 (%rax)", "prefetchw (%rdi)"}) {
    EXPECT_EQ(AccessesOf(text), kNone) << text;
  }
}

TEST(ParseInstruction, TellsLoads) {
  for (const char* const text : {"mov    (%rax,%rdx,8),%rax",
                                 "mov    %fs:(%rax),%rcx",
                                 "mov    %fs:0x28,%rax",
                                 "movzbl (%rax,%rdx,1),%edx",
                                 "mov    0x601040,%eax",
                                 "movabs 0x7fff00001000,%al",
                                 "cmp    0x4(%rcx,%rdx,8),%eax",
                                 "cmp    %rdi,-0x8(%rcx,%rdx,1)",
                                 "cmpb   $0x0,0x10(%rbx)",
                                 "cmpq   $0x0,(%rdi)",
                                 "test   %al,(%rdi)",
                                 "testb  $0x1,(%rdi)",
                                 "bt     %eax,(%rdi)",
                                 "btl    $0x3,(%rdi)",
                                 "add    (%rdi),%eax",
                                 "imul   $0x38,(%rdi),%rax",
                                 "mul    (%rdi)",
                                 "divq   0x8(%rdi)",
                                 "idivl  (%rdi)",
                                 "cmovne (%rdi),%rax",
                                 "movaps (%rdi),%xmm0",
                                 "vpaddd (%rdi),%ymm1,%ymm0",
                                 "push   0x8(%rax)",
                                 "lods   %ds:(%rsi),%al",
                                 "scas   %es:(%rdi),%al",
                                 "ldmxcsr (%rsp)",
                                 "flds   (%rdi)",
                                 "fmull  (%rdi)"}) {
    EXPECT_EQ(AccessesOf(text), kLoad) << text;
  }
}

TEST(ParseInstruction, TellsStores) {
  for (const char* const text :
       {"mov    %rdi,-0x8(%rcx,%rdx,1)", "mov    %edx,(%rsi)",
        "movq   $0x0,(%rdi)", "movl   $0x1,%fs:0x10", "movups %xmm0,(%rsp)",
        "movnti %rax,(%rdi)", "vmovdqu %ymm0,(%rdi)", "sete   0x3(%rsp)",
        "setl   (%rdi)", "stos   %al,%es:(%rdi)", "rep stos %rax,%es:(%rdi)",
        "pop    (%rax)", "pextrq $0x1,%xmm0,(%rdi)", "stmxcsr (%rsp)",
        "fstpl  (%rdi)"}) {
    EXPECT_EQ(AccessesOf(text), kStore) << text;
  }
}

TEST(ParseInstruction, TellsReadingAndWritingOfOneOperand) {
  for (const char* const text :
       {"add    %eax,(%rdi)", "addl   $0x1,(%rdi)", "sub    %rax,0x8(%rdi)",
        "and    %eax,(%rdi)", "orb    $0x1,(%rdi)", "incl   (%rdi)",
        "decq   0x10(%rbx)", "negq   (%rdi)", "notl   (%rdi)", "shll   (%rdi)",
        "shrq   $0x2,(%rdi)", "btsl   $0x3,(%rdi)", "xadd   %eax,(%rdi)",
        "cmpxchg %ecx,(%rdi)", "movsb  %ds:(%rsi),%es:(%rdi)",
        "rep movsq %ds:(%rsi),%es:(%rdi)"}) {
    EXPECT_EQ(AccessesOf(text), kBoth) << text;
  }
  EXPECT_EQ(AccessesOf("repz cmpsb %es:(%rdi),%ds:(%rsi)"),
            (Accesses{2, 0, false}));
}

TEST(ParseInstruction, TellsAtomicAccesses) {
  for (const char* const text :
       {"lock cmpxchg %ecx,(%rdi)", "lock xadd %eax,(%rdi)",
        "lock addl $0x1,(%rdi)", "lock orq $0x0,(%rsp)", "lock incl (%rdi)",
        "lock cmpxchg16b (%rdi)", "xchg   %eax,(%rdi)", "xchg   (%rdi),%eax",
        "xchgb  %al,(%rdi)"}) {
    EXPECT_EQ(AccessesOf(text), kAtomic) << text;
  }
  EXPECT_EQ(Parse("lock cmpxchg %ecx,(%rdi)").mnemonic, "lock cmpxchg");
}

TEST(ParseInstruction, OnlyConditionalJumpsAreBranches) {
  for (const char* const text :
       {"je     43b0 <free+0x10>", "jae    43a9 <free+0x9>", "jne    10",
        "ja,pt  43b0 <x>", "jrcxz  43b0 <x>", "loop   43b0 <x>",
        "bnd jo 43b0 <x>"}) {
    const Instruction instruction = Parse(text);
    EXPECT_TRUE(instruction.is_branch) << text;
    EXPECT_TRUE(instruction.EndsBlock()) << text;
    EXPECT_EQ(AccessesOf(text), kNone) << text;
  }
  for (const char* const text :
       {"jmp    4330 <f(int, char (*)[8])>", "jmp    *%rax", "cmovne %rax,%rdx",
        "sete   %al", "call   6580 <f(int, int)>", "ret", "mov    %rdi,%rax"}) {
    EXPECT_FALSE(Parse(text).is_branch) << text;
    EXPECT_EQ(AccessesOf(text), kNone) << text;
  }
}

TEST(ParseInstruction, TellsJumpsCallsAndReturns) {
  EXPECT_TRUE(Parse("jmp    4330 <f>").is_jump);
  EXPECT_TRUE(Parse("notrack jmp *%rax").is_jump);
  EXPECT_TRUE(Parse("call   6580 <f>").is_call);
  EXPECT_TRUE(Parse("ret").is_return);
  EXPECT_TRUE(Parse("repz ret").is_return);
  // The target address is loaded.
  EXPECT_EQ(AccessesOf("call   *0x2a1b3(%rip)        # 2eeb0 <x>"), kLoad);
  EXPECT_EQ(AccessesOf("jmp    *0x8(%rax,%rdx,8)"), kLoad);
  EXPECT_EQ(AccessesOf("notrack jmp *(%rax)"), kLoad);
  EXPECT_EQ(AccessesOf("call   *%rax"), kNone);
}

TEST(ParseInstruction, TheStackOfPushAndPopIsNoAccess) {
  for (const char* const text :
       {"push   %rbx", "pop    %rbx", "push   $0x10", "leave", "pushf"}) {
    EXPECT_TRUE(Parse(text).is_push_or_pop) << text;
    EXPECT_EQ(AccessesOf(text), kNone) << text;
    EXPECT_FALSE(Parse(text).EndsBlock()) << text;
  }
}

TEST(ParseInstruction, OlderNamesAreTheSame) {
  EXPECT_EQ(Parse("retq").mnemonic, "ret");
  EXPECT_EQ(Parse("repz retq").mnemonic, "ret");
  EXPECT_EQ(Parse("callq  6580 <f>").mnemonic, "call");
  EXPECT_TRUE(Parse("callq  6580 <f>").is_call);
  EXPECT_EQ(Parse("jmpq   *%rax").mnemonic, "jmp");
  EXPECT_EQ(Parse("pushq  %rbx").mnemonic, "push");
}

TEST(Disassembly, FindsInstructionsAndFunctions) {
  const Disassembly code(R"(
library.so:     file format elf64-x86-64


Disassembly of section .text:

0000000000001000 <f(int)>:
    1000:	mov    %edi,%eax
    1002:	ret

0000000000001010 <g::{lambda(int, int)#1}::operator()(int) const>:
    1010:	jmp    1000 <f(int)>
)");
  ASSERT_NE(code.At(0x1002), nullptr);
  EXPECT_EQ(code.At(0x1002)->mnemonic, "ret");
  EXPECT_EQ(code.At(0x1001), nullptr);
  EXPECT_EQ(code.FunctionAt(0xfff), "");
  EXPECT_EQ(code.FunctionAt(0x1000), "f(int)");
  EXPECT_EQ(code.FunctionAt(0x1002), "f(int)");
  EXPECT_EQ(code.FunctionAt(0x1010),
            "g::{lambda(int, int)#1}::operator()(int) const");
  EXPECT_TRUE(Disassembly("no code\n").empty());
}

}  // namespace
}  // namespace hakmem::bench
