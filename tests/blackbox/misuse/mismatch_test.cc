// Freeing a block by another kind of function than allocated it ends the
// program with a line that names both: for every block with --//hardening=full,
// for blocks above 32 KiB with checks. Correct programs, and what C and C++
// allow, pass.
#include <malloc.h>
#include <stdio.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/misuse_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

using std::align_val_t;

enum Kind { kC, kNew, kNewArray };

struct Source {
  Kind kind;
  const char* name;
  std::function<void*(size_t bytes)> allocate;
};

struct End {
  Kind kind;
  const char* name;  // as in the line
  std::function<void(void* block, size_t bytes)> end;
};

const std::vector<Source>& EverySource() {
  static const std::vector<Source> all = {
      {kC, "malloc", [](size_t n) { return malloc(n); }},
      {kC, "calloc", [](size_t n) { return calloc(1, n); }},
      {kC, "realloc of null", [](size_t n) { return realloc(nullptr, n); }},
      {kC, "realloc", [](size_t n) { return realloc(Opaque(malloc(1)), n); }},
      {kC, "realloc in place",
       [](size_t n) { return realloc(Opaque(malloc(n)), n - n / 8); }},
      {kC, "reallocarray",
       [](size_t n) { return reallocarray(Opaque(malloc(1)), n, 1); }},
      {kC, "memalign", [](size_t n) { return memalign(64, n); }},
      {kC, "aligned_alloc", [](size_t n) { return aligned_alloc(64, n); }},
      {kC, "posix_memalign",
       [](size_t n) {
         void* block = nullptr;
         EXPECT_EQ(posix_memalign(&block, 64, n), 0);
         return block;
       }},
      {kC, "valloc", [](size_t n) { return valloc(n); }},
      {kC, "pvalloc", [](size_t n) { return pvalloc(n); }},
      {kC, "hakmem_malloc", [](size_t n) { return Hakmem().malloc(n); }},
      {kNew, "new", [](size_t n) { return ::operator new(n); }},
      {kNew, "new nothrow",
       [](size_t n) { return ::operator new(n, std::nothrow); }},
      {kNew, "new aligned",
       [](size_t n) { return ::operator new(n, align_val_t(64)); }},
      {kNew, "new aligned nothrow",
       [](size_t n) {
         return ::operator new(n, align_val_t(64), std::nothrow);
       }},
      {kNewArray, "new[]", [](size_t n) { return ::operator new[](n); }},
      {kNewArray, "new[] nothrow",
       [](size_t n) { return ::operator new[](n, std::nothrow); }},
      {kNewArray, "new[] aligned",
       [](size_t n) { return ::operator new[](n, align_val_t(64)); }},
      {kNewArray, "new[] aligned nothrow",
       [](size_t n) {
         return ::operator new[](n, align_val_t(64), std::nothrow);
       }},
  };
  return all;
}

const std::vector<End>& EveryEnd() {
  static const std::vector<End> all = {
      {kC, "free", [](void* p, size_t) { free(p); }},
      {kC, "realloc",
       [](void* p, size_t n) { free(realloc(p, Opaque(3 * n))); }},
      {kC, "realloc", [](void* p, size_t n) { free(realloc(p, Opaque(n))); }},
      {kC, "reallocarray",
       [](void* p, size_t n) { free(reallocarray(p, Opaque(3 * n), 1)); }},
      {kNew, "operator delete", [](void* p, size_t) { ::operator delete(p); }},
      {kNew, "operator delete",
       [](void* p, size_t) { ::operator delete(p, std::nothrow); }},
      {kNewArray, "operator delete[]",
       [](void* p, size_t) { ::operator delete[](p); }},
      {kNewArray, "operator delete[]",
       [](void* p, size_t) { ::operator delete[](p, std::nothrow); }},
  };
  return all;
}

std::string LineFor(const Source& source, const End& end, const void* block) {
  const std::string from = source.kind == kC     ? "malloc or its like"
                           : source.kind == kNew ? "operator new"
                                                 : "operator new[]";
  const std::string use = source.kind == kC     ? "use free"
                          : source.kind == kNew ? "use delete"
                                                : "use delete[]";
  const bool resizes = std::string(end.name).rfind("realloc", 0) == 0;
  return std::string(end.name) + " of " + Hex(block) + ", which " + from +
         " allocated: " +
         (resizes ? "only what malloc or its like allocated can be resized"
                  : use);
}

void EndRightly(const Source& source, void* block) {
  if (source.kind == kC) free(block);
  if (source.kind == kNew) ::operator delete(block);
  if (source.kind == kNewArray) ::operator delete[](block);
}

TEST(MismatchTest, EachPairIsReported) {
  for (const size_t bytes : {64ul, 5000ul, 30000ul, 100 * kKiB, 3 * kMiB}) {
    for (const Source& source : EverySource()) {
      const Level level = bytes > 32 * kKiB ? kChecks : kFull;
      // Some page-aligned blocks lie in spans, some do not.
      const bool is_paged =
          std::string(source.name).find("valloc") != std::string::npos;
      if (is_paged && LevelHere() == kChecks && level != kChecks) continue;
      void* block = Opaque(source.allocate(bytes));
      ASSERT_NE(block, nullptr);
      for (const End& end : EveryEnd()) {
        if (end.kind == source.kind) continue;
        SCOPED_TRACE(testing::Message() << source.name << " " << bytes);
        ExpectReported(level, LineFor(source, end, block),
                       [&] { end.end(Opaque(block), bytes); });
      }
      EndRightly(source, block);
    }
  }
}

TEST(MismatchTest, ByAnotherThreadAndAfterReuse) {
  const ChildResult child = RunForked([] {
    // The same block repeatedly, for another kind each time.
    for (int i = 0; i < 1000; ++i) {
      for (const size_t bytes : {64ul, 100 * kKiB, 3 * kMiB}) {
        free(Opaque(malloc(bytes)));
        ::operator delete(Opaque(::operator new(bytes)));
        ::operator delete[](Opaque(::operator new[](bytes)));
      }
    }
    // Two threads at once, on neighbouring blocks of all kinds.
    const auto work = [] {
      std::vector<void*> blocks(2000);
      for (int round = 0; round < 20; ++round) {
        for (size_t i = 0; i < blocks.size(); ++i) {
          const Source& source = EverySource()[i % EverySource().size()];
          blocks[i] = Opaque(source.allocate(100));
        }
        std::thread([&] {
          for (size_t i = 0; i < blocks.size(); ++i) {
            EndRightly(EverySource()[i % EverySource().size()], blocks[i]);
          }
        }).join();
      }
    };
    std::thread other(work);
    work();
    other.join();
  });
  EXPECT_EQ(child.exit_code, 0) << child.signal;
  EXPECT_EQ(child.err, "");
  void* block = Opaque(::operator new[](3 * kMiB));
  ExpectReported(kChecks,
                 "free of " + Hex(block) +
                     ", which operator new[] allocated: use delete[]",
                 [&] { std::thread([&] { free(Opaque(block)); }).join(); });
  ::operator delete[](block);
}

// What programs do and may do.
TEST(MismatchTest, WhatIsRightPasses) {
  const ChildResult child = RunForked([] {
    std::mt19937_64 random(1);
    for (int i = 0; i < 3000; ++i) {
      const size_t bytes = AnySize(random);
      for (const Source& source : EverySource()) {
        void* block = Opaque(source.allocate(bytes));
        Opaque(malloc_usable_size(block));
        EndRightly(source, block);
      }
    }
    free(Opaque(strdup("text")));
    char* line = nullptr;
    if (asprintf(&line, "%d", 1) < 0) abort();
    free(line);
    free(Opaque(realpath("/", nullptr)));
    free(nullptr);
    ::operator delete(Opaque<void*>(nullptr));
    ::operator delete[](Opaque<void*>(nullptr));
    ::operator delete (Opaque(::operator new(48)), size_t{48});
    ::operator delete (Opaque(::operator new(48, align_val_t(64))), size_t{48},
                       align_val_t(64));
    ::operator delete[](Opaque(::operator new[](48)), size_t{48});
    struct Counted {
      ~Counted() { Opaque(this); }
      char bytes[100000];
    };
    delete Opaque(new Counted);
    delete[] Opaque(new Counted[3]);
    std::vector<int> numbers(100000);
    std::stable_sort(numbers.begin(), numbers.end());
    std::shared_ptr<char[]> shared(Opaque(new char[100000]));
    std::unique_ptr<char, decltype(&free)> freed(Malloc(100000), &free);
    struct Wide {
      alignas(256) char bytes[40000];
    };
    delete Opaque(new Wide);
    delete[] Opaque(new Wide[2]);
    Opaque(std::make_shared<Wide>().get());
  });
  EXPECT_EQ(child.exit_code, 0) << child.signal;
  EXPECT_EQ(child.err, "");
}

// A double free is not reported as a mismatch.
TEST(MismatchTest, ASecondFreeIsADoubleFree) {
  for (const size_t bytes : {64ul, 100 * kKiB, 3 * kMiB}) {
    void* block = Opaque(::operator new(bytes));
    const ChildResult child = RunForked([&] {
      ::operator delete(Opaque(block));
      free(Opaque(block));
    });
    EXPECT_EQ(child.signal, SIGABRT);
    EXPECT_EQ(child.err.rfind("hakmem: double free of " + Hex(block), 0), 0u)
        << child.err;
    ::operator delete(block);
  }
}

int FreeWhatNewGave() {
  for (const size_t bytes : {64ul, 100 * kKiB, 3 * kMiB}) {
    free(Opaque(::operator new(bytes)));
    ::operator delete(Opaque(malloc(bytes)));
    ::operator delete[](Opaque(::operator new(bytes)));
  }
  return 5;
}
const ChildProgram free_what_new_gave("free_what_new_gave", FreeWhatNewGave);

TEST(MismatchTest, CanBeSwitchedOff) {
  const ChildResult off =
      RunChildProgram("free_what_new_gave", {{"HAKMEM_MISMATCH", "0"}});
  EXPECT_EQ(off.exit_code, 5);
  EXPECT_EQ(off.err, "");
  const ChildResult on = RunChildProgram("free_what_new_gave");
  EXPECT_EQ(on.signal, LevelHere() == kOff ? 0 : SIGABRT);
}

int FreeAGuardedBlock() {
  free(Opaque(::operator new(64)));
  return 5;
}
const ChildProgram free_a_guarded_block("free_a_guarded_block",
                                        FreeAGuardedBlock);

TEST(MismatchTest, GuardedBlocksAreNoExceptions) {
  const ChildResult child = RunChildProgram(
      "free_a_guarded_block",
      {{"HAKMEM_GUARD_SAMPLE", "1"}, {"HAKMEM_GUARD_SLOTS", "4096"}});
  if (LevelHere() == kOff) {
    EXPECT_EQ(child.exit_code, 5) << child.err;
    return;
  }
  EXPECT_EQ(child.signal, SIGABRT);
  EXPECT_EQ(child.err.rfind("hakmem: free of 0x", 0), 0u) << child.err;
  EXPECT_NE(child.err.find(", which operator new allocated: use delete\n"),
            std::string::npos)
      << child.err;
}

}  // namespace
}  // namespace hakmem_test
