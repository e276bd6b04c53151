// Misuse of a guarded block is reported exactly, with stacks, and ends the
// program correctly; nothing else is reported.
#include <malloc.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "base/os/signal_stack_test_helper.h"
#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

// Found by name in the reported stacks.
extern "C" {
[[gnu::noinline]] void* GuardTestAllocates(size_t size) {
  return hakmem_test::Opaque(malloc(size));
}
[[gnu::noinline]] void GuardTestFrees(void* block) {
  free(block);
  asm volatile("");  // no tail call
}
[[gnu::noinline]] void GuardTestWrites(volatile char* at) { *at = 0; }
[[gnu::noinline]] char GuardTestReads(volatile char* at) { return *at; }
}

namespace hakmem_test {
namespace {

// --- The programs --------------------------------------------------------
// Each allocates a guarded block, prints its address, and misuses it.

const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));

unsigned ThreadId() { return static_cast<unsigned>(syscall(SYS_gettid)); }

enum class End { kLeft, kRight };

// A guarded block of `size`, not a multiple of a page, at that end of its slot.
char* Guarded(size_t size, End end) {
  for (int i = 0; i < 1000; ++i) {
    const uint64_t before = Stats().guarded_sampled;
    auto* block = static_cast<char*>(GuardTestAllocates(size));
    const bool is_guarded = Stats().guarded_sampled == before + 1;
    const bool is_left = IsAligned(block, page);
    const bool is_right = IsAligned(block + (size + 15) / 16 * 16, page);
    if (is_guarded && (end == End::kLeft ? is_left : is_right)) {
      fprintf(stderr, "%p %u\n", static_cast<void*>(block), ThreadId());
      return Opaque(block);
    }
    free(block);
  }
  abort();
}

char* Freed(size_t size) {
  char* block = Guarded(size, End::kRight);
  GuardTestFrees(block);
  return Opaque(block);
}

// Defines the child program `name`.
#define PROGRAM(name, ...)                      \
  const ChildProgram program_##name(#name, [] { \
    __VA_ARGS__;                                \
    return 0;                                   \
  })

PROGRAM(write_behind, GuardTestWrites(Guarded(64, End::kRight) + 64));
PROGRAM(read_behind, GuardTestReads(Guarded(64, End::kRight) + 64));
PROGRAM(write_far_behind, GuardTestWrites(Guarded(64, End::kRight) + 1063));
PROGRAM(write_before, GuardTestWrites(Guarded(100, End::kLeft) - 1));
PROGRAM(read_before, GuardTestReads(Guarded(100, End::kLeft) - 10));
PROGRAM(write_freed, GuardTestWrites(Freed(64)));
PROGRAM(read_freed, GuardTestReads(Freed(64) + 63));
PROGRAM(write_behind_freed, GuardTestWrites(Freed(64) + 65));
PROGRAM(double_free, GuardTestFrees(Freed(64)));
PROGRAM(double_delete, ::operator delete (Freed(1), size_t{1}));
PROGRAM(realloc_freed, if (realloc(Freed(64), 100) == nullptr) abort());
PROGRAM(realloc_freed_to_0, if (realloc(Freed(64), 0) != nullptr) abort());
PROGRAM(measure_freed, if (malloc_usable_size(Freed(64)) == 0) abort());
PROGRAM(realloc_middle,
        if (realloc(Guarded(64, End::kLeft) + 16, 100) == nullptr) abort());
PROGRAM(delete_array_middle, ::operator delete[](Guarded(64, End::kLeft) + 16));
PROGRAM(free_middle, GuardTestFrees(Guarded(64, End::kLeft) + 16));
PROGRAM(free_middle_odd, GuardTestFrees(Guarded(64, End::kRight) + 1));
PROGRAM(free_freed_middle, GuardTestFrees(Freed(64) + 8));
PROGRAM(free_behind, GuardTestFrees(Guarded(64, End::kLeft) + 79));
PROGRAM(free_before, GuardTestFrees(Guarded(64, End::kRight) - 16));
PROGRAM(slack_behind, char* block = Guarded(24, End::kRight);
        GuardTestWrites(block + 24); GuardTestFrees(block));
PROGRAM(slack_before, char* block = Guarded(24, End::kRight);
        GuardTestWrites(block - 3); GuardTestFrees(block));
PROGRAM(slack_at_realloc, char* block = Guarded(24, End::kLeft);
        GuardTestWrites(block + 25);
        if (realloc(Opaque(block), 30) == nullptr) abort());
PROGRAM(write_to_nothing, GuardTestWrites(Guarded(0, End::kLeft) + 0);
        _exit(3));  // size 0 has a page: detected only at free
PROGRAM(freed_elsewhere, char* block = Guarded(64, End::kRight);
        std::thread([block] { GuardTestFrees(block); }).join();
        GuardTestReads(block + 1));
PROGRAM(accessed_elsewhere, char* block = Guarded(64, End::kRight);
        std::thread([block] { GuardTestReads(block + 64); }).join());

// --- The expected reports ------------------------------------------------

// Whether the CPU's error code of a fault is read, which distinguishes writes
// from reads.
#if defined(__x86_64__)
constexpr bool kTellsWritesFromReads = true;
#else
constexpr bool kTellsWritesFromReads = false;
#endif

// The line of a fault, with the kind of access in front.
std::string OfFault(const std::string& line) {
  return kTellsWritesFromReads ? line : "access" + line.substr(line.find(' '));
}

ChildResult RunGuarded(const std::string& program) {
  return RunChildProgram(
      program, {{"HAKMEM_GUARD_SAMPLE", "1"}, {"HAKMEM_GUARD_SLOTS", "4096"}});
}

struct Case {
  const char* program;
  int signal;
  std::string first_line;  // @ and @+n: addresses; $T: the thread
  std::string headings;    // a: allocated, f: freed, x: accessed, c: called
  const char* last = "";   // in the last stack
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.program; }

class GuardMisuseTest : public testing::TestWithParam<Case> {};

// `pattern` with the block's address and thread inserted.
std::string Filled(std::string pattern, uintptr_t block,
                   const std::string& thread) {
  for (size_t at; (at = pattern.find('@')) != std::string::npos;) {
    size_t used = 0;
    const std::string rest = pattern.substr(at + 1);
    const int offset =
        rest[0] == '+' || rest[0] == '-' ? std::stoi(rest, &used) : 0;
    char text[32];
    snprintf(text, sizeof(text), "%#zx",
             block + static_cast<uintptr_t>(static_cast<intptr_t>(offset)));
    pattern.replace(at, 1 + used, text);
  }
  const size_t at = pattern.find("$T");
  if (at != std::string::npos) pattern.replace(at, 2, thread);
  return pattern;
}

// The stack that follows the line beginning with `heading`.
std::string StackAfter(const std::vector<std::string>& lines,
                       const std::string& heading) {
  std::string stack;
  bool in_it = false;
  for (const std::string& line : lines) {
    const bool is_frame = line.rfind("hakmem:   #", 0) == 0;
    if (in_it && is_frame) stack += line + "\n";
    if (!is_frame) in_it = line.rfind(heading, 0) == 0;
  }
  return stack;
}

TEST_P(GuardMisuseTest, IsReportedExactly) {
  const Case& c = GetParam();
  const ChildResult child = RunGuarded(c.program);
  EXPECT_EQ(child.signal, c.signal) << child.exit_code << child.err;
  const std::vector<std::string> lines = Lines(child.err);
  ASSERT_GT(lines.size(), 2u) << child.err;
  const size_t space = lines[0].find(' ');
  const uintptr_t block = std::stoull(lines[0].substr(0, space), nullptr, 16);
  const std::string thread = lines[0].substr(space + 1);
  const std::string first =
      c.signal == SIGSEGV ? OfFault(c.first_line) : c.first_line;
  EXPECT_EQ(lines[1], "hakmem: guarded block: " + Filled(first, block, thread));
  std::string headings;
  for (size_t i = 2; i < lines.size(); ++i) {
    if (lines[i].rfind("hakmem:   #", 0) == 0) continue;
    EXPECT_EQ(lines[i].substr(lines[i].size() - 4), " at:");
    for (const char* heading : {"allocated", "freed", "xaccessed", "called"}) {
      const char* word = heading[0] == 'x' ? heading + 1 : heading;
      if (lines[i].rfind("hakmem:   " + std::string(word) + " by thread ", 0) ==
          0) {
        headings += heading[0];
      }
    }
  }
  EXPECT_EQ(headings, c.headings) << child.err;
  EXPECT_NE(StackAfter(lines, "hakmem:   allocated by thread " + thread)
                .find(" GuardTestAllocates+0x"),
            std::string::npos)
      << child.err;
  if (c.headings.find('f') != std::string::npos) {
    EXPECT_NE(StackAfter(lines, "hakmem:   freed").find(" GuardTestFrees+0x"),
              std::string::npos)
        << child.err;
  }
  const std::string last =
      StackAfter(lines, c.headings.back() == 'x' ? "hakmem:   accessed"
                                                 : "hakmem:   called");
  EXPECT_NE(last.find(c.last), std::string::npos) << child.err;
}

constexpr char kWrites[] = " GuardTestWrites+0x";
constexpr char kReads[] = " GuardTestReads+0x";
constexpr char kFrees[] = " GuardTestFrees+0x";

INSTANTIATE_TEST_SUITE_P(
    All, GuardMisuseTest,
    testing::Values(
        Case{"write_behind", SIGSEGV,
             "write past the end (1 byte behind) of a block of 64 bytes at @ "
             "by thread $T",
             "ax", kWrites},
        Case{"read_behind", SIGSEGV,
             "read past the end (1 byte behind) of a block of 64 bytes at @ "
             "by thread $T",
             "ax", kReads},
        Case{"write_far_behind", SIGSEGV,
             "write past the end (1000 bytes behind) of a block of 64 bytes "
             "at @ by thread $T",
             "ax", kWrites},
        Case{"write_before", SIGSEGV,
             "write before the start (1 byte before) of a block of 100 bytes "
             "at @ by thread $T",
             "ax", kWrites},
        Case{"read_before", SIGSEGV,
             "read before the start (10 bytes before) of a block of 100 bytes "
             "at @ by thread $T",
             "ax", kReads},
        Case{"write_freed", SIGSEGV,
             "write after free (0 bytes in) of a block of 64 bytes at @ by "
             "thread $T",
             "afx", kWrites},
        Case{"read_freed", SIGSEGV,
             "read after free (63 bytes in) of a block of 64 bytes at @ by "
             "thread $T",
             "afx", kReads},
        Case{"write_behind_freed", SIGSEGV,
             "write past the end (2 bytes behind) of a freed block of 64 bytes "
             "at @ by thread $T",
             "afx", kWrites},
        Case{"freed_elsewhere", SIGSEGV,
             "read after free (1 byte in) of a block of 64 bytes at @ by "
             "thread $T",
             "afx", kReads},
        Case{"double_free", SIGABRT,
             "double free of a block of 64 bytes at @ by thread $T", "afc",
             kFrees},
        Case{"double_delete", SIGABRT,
             "double free by operator delete of a block of 1 byte at @ by "
             "thread $T",
             "afc"},
        Case{"realloc_freed", SIGABRT,
             "realloc after free of a block of 64 bytes at @ by thread $T",
             "afc"},
        Case{"realloc_freed_to_0", SIGABRT,
             "realloc after free of a block of 64 bytes at @ by thread $T",
             "afc"},
        Case{"measure_freed", SIGABRT,
             "malloc_usable_size after free of a block of 64 bytes at @ by "
             "thread $T",
             "afc"},
        Case{"realloc_middle", SIGABRT,
             "realloc of @+16, 16 bytes into a block of 64 bytes at @ by "
             "thread $T",
             "ac"},
        Case{"delete_array_middle", SIGABRT,
             "operator delete[] of @+16, 16 bytes into a block of 64 bytes at "
             "@ by thread $T",
             "ac"},
        Case{"free_middle", SIGABRT,
             "free of @+16, 16 bytes into a block of 64 bytes at @ by thread "
             "$T",
             "ac", kFrees},
        Case{"free_middle_odd", SIGABRT,
             "free of @+1, 1 byte into a block of 64 bytes at @ by thread $T",
             "ac", kFrees},
        Case{"free_freed_middle", SIGABRT,
             "free of @+8, 8 bytes into a freed block of 64 bytes at @ by "
             "thread $T",
             "afc", kFrees},
        Case{"free_behind", SIGABRT,
             "free of @+79, 16 bytes behind a block of 64 bytes at @ by thread "
             "$T",
             "ac", kFrees},
        Case{"free_before", SIGABRT,
             "free of @-16, 16 bytes before a block of 64 bytes at @ by thread "
             "$T",
             "ac", kFrees},
        Case{"slack_behind", SIGABRT,
             "write past the end (1 byte behind) of a block of 24 bytes at @, "
             "found as it was freed by thread $T",
             "ac", kFrees},
        Case{"slack_before", SIGABRT,
             "write before the start (3 bytes before) of a block of 24 bytes "
             "at @, found as it was freed by thread $T",
             "ac", kFrees},
        Case{"slack_at_realloc", SIGABRT,
             "write past the end (2 bytes behind) of a block of 24 bytes at @, "
             "found as it was freed by thread $T",
             "ac"}),
    [](const testing::TestParamInfo<Case>& info) {
      return std::string(info.param.program);
    });

TEST(GuardReportTest, TellsOtherThreadsApart) {
  const ChildResult child = RunGuarded("accessed_elsewhere");
  EXPECT_EQ(child.signal, SIGSEGV);
  const std::vector<std::string> lines = Lines(child.err);
  ASSERT_GT(lines.size(), 2u) << child.err;
  const std::string owner = lines[0].substr(lines[0].find(' ') + 1);
  EXPECT_EQ(lines[2], "hakmem:   allocated by thread " + owner + " at:");
  EXPECT_EQ(child.err.find("accessed by thread " + owner), std::string::npos);
}

TEST(GuardReportTest, SaysNothingOfOtherFaults) {
  const ChildResult child = RunGuarded("write_to_nothing");
  EXPECT_EQ(child.exit_code, 3);
  EXPECT_EQ(child.err.find("hakmem"), std::string::npos) << child.err;
}

// --- Signal forwarding ---------------------------------------------------

PROGRAM(fault_elsewhere,
        GuardTestWrites(static_cast<char*>(Opaque(mmap(
            nullptr, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)))));
PROGRAM(fault_at_no_address,
        GuardTestWrites(reinterpret_cast<char*>(Opaque(uintptr_t{1} << 62))));
PROGRAM(signal_sent, kill(getpid(), SIGSEGV); pause());

[[gnu::noinline]] int Recurse(volatile char* above) {
  volatile char here[1000];
  here[0] = above == nullptr ? 0 : above[0];
  return Opaque(1) == 0 ? 0 : Recurse(here) + here[0];
}
PROGRAM(stack_overflow, Recurse(nullptr));

TEST(GuardSignalTest, OtherFaultsAreAsWithoutUs) {
  for (const char* program : {"fault_elsewhere", "fault_at_no_address",
                              "signal_sent", "stack_overflow"}) {
    const ChildResult child = RunGuarded(program);
    EXPECT_EQ(child.signal, SIGSEGV) << program;
    EXPECT_EQ(child.err, "") << program;
  }
}

struct sigaction replaced;
sigjmp_buf recovery;

void PassOn(int signal, siginfo_t* info, void* context) {
  fprintf(stderr, "before\n");
  replaced.sa_sigaction(signal, info, context);
}

void Recover(int, siginfo_t* info, void*) {
  fprintf(stderr, "%p\n", info->si_addr);
  siglongjmp(recovery, 1);
}

void Handle(void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, &replaced);
}

PROGRAM(handler_passes_on, Handle(PassOn); GuardTestReads(Freed(64)));
PROGRAM(handler_recovers, Handle(Recover);
        if (sigsetjmp(recovery, 1) == 0) GuardTestReads(Freed(64)));

TEST(GuardSignalTest, ALaterHandlerMayPassOn) {
  const ChildResult child = RunGuarded("handler_passes_on");
  EXPECT_EQ(child.signal, SIGSEGV);
  EXPECT_NE(child.err.find("\nbefore\nhakmem: guarded block: " +
                           OfFault("read after free")),
            std::string::npos)
      << child.err;
}

TEST(GuardSignalTest, ALaterHandlerTakesOursOut) {
  const ChildResult child = RunGuarded("handler_recovers");
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.err.find("hakmem"), std::string::npos) << child.err;
  const std::vector<std::string> lines = Lines(child.err);
  ASSERT_EQ(lines.size(), 2u) << child.err;
  EXPECT_EQ(lines[1], lines[0].substr(0, lines[0].find(' ')));
}

// A small stack for the handler.
PROGRAM(tiny_signal_stack, const SmallSignalStack stack(4096);
        GuardTestReads(Freed(64)));
PROGRAM(small_signal_stack, const SmallSignalStack stack(8192 + 1536);
        GuardTestReads(Freed(64)));

TEST(GuardSignalTest, OnATinyStackTheFirstLineIsReported) {
  const ChildResult child = RunGuarded("tiny_signal_stack");
  EXPECT_EQ(child.signal, SIGSEGV);
  const std::vector<std::string> lines = Lines(child.err);
  ASSERT_EQ(lines.size(), 2u) << child.err;
  EXPECT_EQ(
      lines[1].rfind("hakmem: guarded block: " + OfFault("read after free"), 0),
      0u);
}

TEST(GuardSignalTest, OnASmallStackAllIsReported) {
  const ChildResult child = RunGuarded("small_signal_stack");
  EXPECT_EQ(child.signal, SIGSEGV);
  for (const char* heading :
       {"\nhakmem:   allocated by thread ", "\nhakmem:   freed by thread ",
        "\nhakmem:   accessed by thread "}) {
    EXPECT_NE(child.err.find(heading), std::string::npos) << child.err;
  }
}

}  // namespace
}  // namespace hakmem_test
