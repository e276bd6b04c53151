#include "tracing/stacks/symbol_file.h"

#include <gtest/gtest.h>
#include <link.h>

#include <cstring>
#include <string>

#include "tracing/failures/fake_system_test_helper.h"

// Not exported, so only the file's symbol table names it.
extern "C" [[gnu::noinline, gnu::visibility("hidden")]] int
symbol_file_test_function(int n) {
  asm volatile("" : "+r"(n));
  return n + 1;
}

namespace hakmem {
namespace {

// The offset between this program's load address and its file's.
uintptr_t LoadOffset() { return _r_debug.r_map->l_addr; }

TEST(SymbolFile, NamesAFunctionOfThisProgram) {
  EXPECT_EQ(symbol_file_test_function(1), 2);
  const uintptr_t place =
      reinterpret_cast<uintptr_t>(&symbol_file_test_function) - LoadOffset();
  FoundSymbol found;
  ASSERT_TRUE(FindSymbol("/proc/self/exe", place + 1, &found));
  EXPECT_STREQ(found.name, "symbol_file_test_function");
  EXPECT_EQ(found.start, place);
}

TEST(SymbolFile, APlaceOutsideEveryFunctionHasNoName) {
  FoundSymbol found;
  EXPECT_FALSE(FindSymbol("/proc/self/exe", 0, &found));
  EXPECT_FALSE(FindSymbol("/proc/self/exe", UINTPTR_MAX, &found));
}

TEST(SymbolFile, WhatIsNoElfFileHasNoNames) {
  FakeSystem system;
  FoundSymbol found;
  const std::string path = std::string(system.root()) + "/file";
  EXPECT_FALSE(FindSymbol(path.c_str(), 100, &found));
  for (const std::string& contents : {std::string(),
                                      std::string("\x7f"
                                                  "ELF"),
                                      std::string("\x7f"
                                                  "ELF") +
                                          std::string(500, '\x01'),
                                      std::string("\x7f"
                                                  "ELF") +
                                          std::string(500, '\xff'),
                                      std::string(1000, 'x')}) {
    system.Write("/file", contents);
    EXPECT_FALSE(FindSymbol(path.c_str(), 100, &found));
  }
  system.MakeUnreadable("/file");
  EXPECT_FALSE(FindSymbol(path.c_str(), 100, &found));
}

}  // namespace
}  // namespace hakmem
