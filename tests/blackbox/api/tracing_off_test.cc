// A library built with --//tracing=off contains no tracing, and tracing costs
// the hot path nothing: malloc and free are the same machine code with and
// without it.
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"
#include "tests/blackbox/support/elf_file_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

ElfFile Without() { return ElfFile(LibraryPath()); }

ElfFile With() {
  const char* path = getenv("HAKMEM_TEST_TRACING_LIBRARY");
  return ElfFile(path == nullptr ? "" : path);
}

// The number of differing addresses, each four bytes relative to the
// instruction; -1 if the code differs otherwise. The same instructions lie at
// other addresses in the other library.
int AddressesThatDiffer(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return -1;
  int places = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;
#ifdef __x86_64__
    // The first differing byte may be the second or third of the four; then one
    // or two bytes of the next instruction are not compared.
    ++places;
    i += 3;
#else
    // A fixed-length instruction, with the address in some of its bits.
    ++places;
    i |= 3;
#endif
  }
  return places;
}

TEST(TracingOffTest, TheHotPathsCodeIsTheSame) {
  const ElfFile with = With();
  const ElfFile without = Without();
  for (const char* name : {"malloc", "free", "_Znwm", "_ZdlPv", "_ZdlPvm"}) {
    const std::string code = without.Code(name);
    EXPECT_GT(code.size(), 16u) << name;
    EXPECT_EQ(with.Code(name).size(), code.size()) << name;
    const int places = AddressesThatDiffer(with.Code(name), code);
    EXPECT_GE(places, 0) << name;
    // The class table, the thread's bins, the pagemap, and the slow path.
    EXPECT_LE(places, 8) << name;
  }
}

TEST(TracingOffTest, NoDiagnosisIsLeft) {
  const ElfFile with = With();
  const ElfFile without = Without();
  for (const char* text :
       {"max_map_count", "RLIMIT_AS", "/proc/meminfo", "memory.max",
        "raise HAKMEM_ACE_LIMIT_MB from ", "Threshold"}) {
    EXPECT_NE(with.bytes().find(text), std::string::npos) << text;
    if (kOptimised) {
      EXPECT_EQ(without.bytes().find(text), std::string::npos) << text;
    }
  }
}

TEST(TracingOffTest, NoFunctionAndNoDataOfItIsLeft) {
  const ElfFile with = With();
  const ElfFile without = Without();
  for (const char* part : {"RecordFailure", "FailureRing", "MapFailure",
                           "failure_note", "PrintStack"}) {
    const auto holds = [part](const ElfFile& file) {
      for (const std::string& symbol : file.symbols) {
        if (symbol.find(part) != std::string::npos) return true;
      }
      return false;
    };
    EXPECT_TRUE(holds(with)) << part;
    EXPECT_FALSE(holds(without)) << part;
  }
}

}  // namespace
}  // namespace hakmem_test
