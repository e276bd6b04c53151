// A program built with a sanitizer, started with the library in LD_PRELOAD. It
// keeps its sanitizer, or does not run at all, and one line says which; it
// never crashes.
//
// Programs are built here, by whichever compilers are installed, to cover both
// kinds of runtime: in the program itself, and in a library.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <string>

#include "gtest/gtest.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

// Allocates in every way, from a thread too; with an argument, writes past the
// end of a block, which AddressSanitizer detects.
constexpr char kProgram[] = R"(
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static void* Work(void* unused) {
  for (int i = 0; i < 300; ++i) {
    size_t size = (size_t)i * 50 + 1;
    char* block = malloc(size);
    memset(block, 1, size);
    block = realloc(block, size * 2);
    char* zeros = calloc(1, size);
    if (block[size - 1] != 1 || zeros[0] != 0) abort();
    free(zeros);
    free(block);
    free(strdup("text"));
  }
  return unused;
}
int main(int argc, char** argv) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, Work, NULL) != 0) return 2;
  Work(NULL);
  pthread_join(thread, NULL);
  volatile char* block = malloc(10);
  if (argc > 1) block[10] = 1;
  free((void*)block);
  puts(argv[0] == NULL ? "?" : "fine");
  return 0;
}
)";

struct Ended {
  int exit_code;  // -1 when a signal ended it
  std::string out;
  std::string err;

  bool ErrIsOneLine() const {
    return !err.empty() && err.find('\n') == err.size() - 1;
  }
};

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

Ended RunCommand(const std::string& command) {
  const std::string base = testing::TempDir() + "/run";
  // exec: the status is the program's, not the shell's.
  const std::string whole =
      "exec env " + command + " >" + base + ".out 2>" + base + ".err";
  const int status = system(whole.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, Contents(base + ".out"),
          Contents(base + ".err")};
}

enum class Outcome {
  kRefused,       // the runtime is a library after the preloaded one
  kKept,          // the runtime is in the program, so before the preloaded one
  kKeptSilently,  // the same, but exports nothing that identifies it
};

// How a sanitizer is linked in.
struct Build {
  const char* name;
  const char* command;
  const char* sanitizer;  // its name in the line
  Outcome outcome;
};

// The library's line in a program that keeps its sanitizer.
std::string LineWhenKept(const Build& build) {
  if (build.outcome == Outcome::kKeptSilently) return "";
  return std::string("hakmem: this program is built with ") + build.sanitizer +
         ", which has a malloc of its own: preloading hakmem does nothing\n";
}

std::string LineWhenRefused(const Build& build) {
  return std::string("hakmem: this program is built with ") + build.sanitizer +
         ", which needs a malloc of its own: run it without hakmem\n";
}

class SanitizedProgramTest : public testing::TestWithParam<Build> {
 protected:
  // Skips if this build cannot be made here, or does not run by itself.
  void SetUp() override {
    const std::string source = testing::TempDir() + "/program.c";
    std::ofstream(source) << kProgram;
    program_ = testing::TempDir() + "/" + GetParam().name;
    const Ended build = RunCommand(std::string(GetParam().command) + " -g -o " +
                                   program_ + " " + source + " -pthread");
    if (build.exit_code != 0) {
      GTEST_SKIP() << "cannot be built here: " << build.err.substr(0, 500);
    }
    const Ended alone = RunCommand(program_);
    if (alone.exit_code != 0) {
      GTEST_SKIP() << "does not run here by itself: "
                   << alone.err.substr(0, 500);
    }
  }

  Ended RunPreloaded(const std::string& variables,
                     const std::string& argument) {
    return RunCommand("LD_PRELOAD='" + LibraryPath() + "' " + variables + " " +
                      program_ + " " + argument);
  }

  std::string program_;
};

TEST_P(SanitizedProgramTest, KeepsItsSanitizerOrIsRefusedInOneLine) {
  const Ended run = RunPreloaded("", "");
  if (GetParam().outcome != Outcome::kRefused) {
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_EQ(run.out, "fine\n");
    EXPECT_EQ(std::regex_replace(run.err, std::regex("^hakmem\\[[0-9]+\\]"),
                                 "hakmem"),
              LineWhenKept(GetParam()));
    return;
  }
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.out, "");
  // AddressSanitizer makes its own check, before the library is called.
  if (run.err.find("ASan runtime does not come first") == std::string::npos) {
    EXPECT_EQ(run.err, LineWhenRefused(GetParam()));
  } else {
    EXPECT_TRUE(run.ErrIsOneLine()) << run.err;
  }
}

TEST_P(SanitizedProgramTest, IsRefusedAlsoWhenTheSanitizerDoesNotLook) {
  if (GetParam().outcome != Outcome::kRefused) GTEST_SKIP() << "is kept";
  const Ended run = RunPreloaded("ASAN_OPTIONS=verify_asan_link_order=0", "");
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, LineWhenRefused(GetParam()));
}

TEST_P(SanitizedProgramTest, FindsWhatItFoundWithoutUs) {
  if (GetParam().outcome == Outcome::kRefused ||
      GetParam().sanitizer != std::string("AddressSanitizer")) {
    GTEST_SKIP() << "only where AddressSanitizer goes on";
  }
  const Ended run = RunPreloaded("", "overflow");
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.err.find("heap-buffer-overflow"), std::string::npos) << run.err;
}

constexpr Build kBuilds[] = {
    {"gcc_address", "gcc -fsanitize=address", "AddressSanitizer",
     Outcome::kRefused},
    {"gcc_address_inside", "gcc -fsanitize=address -static-libasan",
     "AddressSanitizer", Outcome::kKeptSilently},
    {"gcc_thread", "gcc -fsanitize=thread", "ThreadSanitizer",
     Outcome::kRefused},
    {"gcc_thread_inside", "gcc -fsanitize=thread -static-libtsan",
     "ThreadSanitizer", Outcome::kKeptSilently},
    {"clang_address", "clang -fsanitize=address", "AddressSanitizer",
     Outcome::kKept},
    {"clang_thread", "clang -fsanitize=thread", "ThreadSanitizer",
     Outcome::kKept},
    {"clang_memory", "clang -fsanitize=memory", "MemorySanitizer",
     Outcome::kKept},
};

INSTANTIATE_TEST_SUITE_P(Builds, SanitizedProgramTest,
                         testing::ValuesIn(kBuilds), [](const auto& build) {
                           return std::string(build.param.name);
                         });

}  // namespace
}  // namespace hakmem_test
