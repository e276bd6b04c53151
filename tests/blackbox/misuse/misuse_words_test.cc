// The line that ends a program which passes an invalid block to a function
// names the function and the error, for every function, kind of block, back-end
// and level of hardening.
#include <malloc.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/misuse_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

// A function, called with a block of 64 bytes.
struct Function {
  const char* name;
  bool ends_block;  // frees the block: called again, it is a double free
  std::function<void(void*)> call;
};

const std::vector<Function>& EveryFunction() {
  static const std::vector<Function> all = {
      {"free", true, [](void* p) { free(Opaque(p)); }},
      {"free_sized", true, [](void* p) { Hakmem().free_sized(Opaque(p), 64); }},
      {"free_aligned_sized", true,
       [](void* p) { Hakmem().free_aligned_sized(Opaque(p), 16, 64); }},
      {"operator delete", true, [](void* p) { ::operator delete(Opaque(p)); }},
      {"operator delete", true,
       [](void* p) { ::operator delete (Opaque(p), size_t{64}); }},
      {"operator delete", true,
       [](void* p) { ::operator delete(Opaque(p), std::align_val_t(16)); }},
      {"operator delete", true,
       [](void* p) { ::operator delete(Opaque(p), std::nothrow); }},
      {"operator delete[]", true,
       [](void* p) { ::operator delete[](Opaque(p)); }},
      {"operator delete[]", true,
       [](void* p) { ::operator delete[](Opaque(p), size_t{64}); }},
      {"operator delete[]", true,
       [](void* p) {
         ::operator delete[](Opaque(p), size_t{64}, std::align_val_t(16));
       }},
      {"realloc", false,
       [](void* p) { Opaque(realloc(Opaque(p), Opaque(size_t{100}))); }},
      {"realloc", false,
       [](void* p) { Opaque(realloc(Opaque(p), Opaque(size_t{64}))); }},
      {"reallocarray", false,
       [](void* p) {
         Opaque(reallocarray(Opaque(p), Opaque(size_t{10}), 10));
       }},
      {"malloc_usable_size", false,
       [](void* p) { Opaque(malloc_usable_size(Opaque(p))); }},
      {"malloc_usable_size", false,
       [](void* p) { Opaque(Hakmem().malloc_usable_size(Opaque(p))); }},
  };
  return all;
}

// "double free of A", "double free of A by operator delete", "realloc of A".
std::string Beginning(const std::string& kind, const Function& function,
                      const void* address) {
  if (!function.ends_block) {
    return std::string(function.name) + " of " + Hex(address);
  }
  const std::string begin = kind + " of " + Hex(address);
  return function.name == std::string("free") ? begin
                                              : begin + " by " + function.name;
}

std::string IsFreeAlready(const Function& function, const void* block,
                          size_t bytes) {
  return Beginning("double free", function, block) + ": the block of " +
         std::to_string(bytes) + " bytes is free already";
}

TEST(MisuseWordsTest, OfAForeignAddress) {
  static char foreign[64];
  char on_stack[64];
  for (const Function& function : EveryFunction()) {
    for (char* address : {foreign, on_stack}) {
      ExpectReported(kOff,
                     Beginning("invalid free", function, address) +
                         ": not an address that hakmem handed out",
                     [&] { function.call(address); });
    }
  }
}

TEST(MisuseWordsTest, OfABlockThatIsFreeInTheBin) {
  for (const Function& function : EveryFunction()) {
    char* block = Malloc(64);
    char* other = Malloc(64);
    ExpectReported(kChecks, IsFreeAlready(function, block, 64), [&] {
      Free(block);
      Free(other);
      function.call(block);
    });
    Free(block);
    Free(other);
  }
}

TEST(MisuseWordsTest, OfABlockThatIsFreeInItsSlab) {
  for (const Function& function : EveryFunction()) {
    char* block = Malloc(64);
    char* neighbour = Malloc(64);  // keeps the slab in use
    ExpectReported(kChecks, IsFreeAlready(function, block, 64), [&] {
      Free(block);
      Hakmem().collect();
      function.call(block);
    });
    Free(neighbour);
    Free(block);
  }
}

TEST(MisuseWordsTest, OfABlockThatWasFreedLast) {
  for (const Function& function : EveryFunction()) {
    if (!function.ends_block) continue;
    char* block = Malloc(64);
    ExpectReported(kOff, IsFreeAlready(function, block, 64), [&] {
      Free(block);
      function.call(block);
    });
    Free(block);
  }
}

TEST(MisuseWordsTest, OfASpanThatIsFree) {
  for (const size_t bytes : {100 * kKiB, 1000 * kKiB}) {
    for (const Function& function : EveryFunction()) {
      char* block = Malloc(bytes);
      char* neighbour = Malloc(bytes);  // keeps the chunk in use
      const ChildResult child = RunForked([&] {
        Free(block);
        function.call(block);
      });
      EXPECT_EQ(child.signal, SIGABRT);
      const std::string begin =
          "hakmem: " + Beginning("double free", function, block) + ": ";
      EXPECT_EQ(child.err.substr(0, begin.size()), begin);
      Free(neighbour);
      Free(block);
    }
  }
}

TEST(MisuseWordsTest, OfALargeBlockThatIsFree) {
  // Cached, or unmapped at once.
  for (const size_t bytes : {3 * kMiB / 2, 5 * kMiB, 100 * kMiB}) {
    for (const Function& function : EveryFunction()) {
      char* block = Malloc(bytes);
      const size_t usable = malloc_usable_size(block);
      ExpectReported(kOff, IsFreeAlready(function, block, usable), [&] {
        Free(block);
        function.call(block);
      });
      ExpectReported(kOff, IsFreeAlready(function, block, usable), [&] {
        Free(block);
        Hakmem().collect();
        std::thread([&] { function.call(block); }).join();
      });
      Free(block);
    }
  }
}

TEST(MisuseWordsTest, WhatWasFreedLongAgoIsNotCalledForeign) {
  char* block = Malloc(5 * kMiB);
  const ChildResult child = RunForked([&] {
    Free(block);
    // More frees than are remembered, none at the same address.
    std::vector<char*> others(600);
    for (char*& other : others) other = Malloc(100 * kMiB);
    for (char* other : others) Free(other);
    Hakmem().collect();
    Free(block);
  });
  EXPECT_EQ(child.signal, SIGABRT);
  EXPECT_EQ(child.err, "hakmem: invalid free of " + Hex(block) +
                           ": not an address that hakmem handed out, as far "
                           "as it remembers\n");
  Free(block);
}

TEST(MisuseWordsTest, OfABlockOfASlabThatIsGone) {
  const ChildResult child = RunForked([] {
    // All chunks that contain the blocks are released.
    std::vector<char*> blocks(100000);
    for (char*& block : blocks) block = Malloc(64);
    for (char* block : blocks) Free(block);
    Hakmem().collect();
    Free(blocks[blocks.size() / 2]);
  });
  EXPECT_EQ(child.signal, SIGABRT);
  EXPECT_EQ(child.err.find("not an address that hakmem"), std::string::npos)
      << child.err;
}

TEST(MisuseWordsTest, OfTheMiddleOfABlock) {
  for (const Function& function : EveryFunction()) {
    char* block = Malloc(64);
    const Level level = function.ends_block ? kChecks : kOff;
    ExpectReported(level,
                   Beginning("invalid free", function, block + 16) +
                       ": 16 bytes into a block of 64 bytes at " + Hex(block),
                   [&] { function.call(block + 16); });
    Free(block);
    for (const size_t bytes : {100 * kKiB, 3 * kMiB}) {
      char* large = Malloc(bytes);
      ExpectReported(kOff,
                     Beginning("invalid free", function, large + 4096) +
                         ": 4096 bytes into the block at " + Hex(large),
                     [&] { function.call(large + 4096); });
      Free(large);
    }
  }
}

TEST(MisuseWordsTest, ACallThatHasEndedIsNotNamed) {
  char* block = Malloc(64);
  ExpectReported(kOff,
                 "double free of " + Hex(block) +
                     ": the block of 64 bytes is free already",
                 [&] {
                   char* moved =
                       static_cast<char*>(realloc(Opaque(block), 500));
                   Free(moved);
                   Free(block);
                   // Detected at the latest when the bin is drained.
                   Hakmem().collect();
                 });
  Free(block);
}

}  // namespace
}  // namespace hakmem_test
