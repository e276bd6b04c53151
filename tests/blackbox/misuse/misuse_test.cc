// A misuse ends in one exact line and the right signal, at once, from the level
// of --//hardening on that promises it; below, the program continues. Each
// misuse runs in a forked child. (bad_free_test.cc has what all levels detect
// eventually.)
#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
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

void ExpectFault(const std::function<void()>& misuse) {
  const ChildResult child = RunForked([&] {
    misuse();
    _Exit(kWentOn);
  });
  EXPECT_EQ(child.signal, SIGSEGV) << "exit code " << child.exit_code;
}

std::string IsFreeAlready(const void* block, size_t bytes) {
  return "double free of " + Hex(block) + ": the block of " +
         std::to_string(bytes) + " bytes is free already";
}

std::string HasChanged(const void* block, size_t bytes) {
  return "write after free to " + Hex(block) + ": the block of " +
         std::to_string(bytes) + " bytes has changed since it was freed";
}

std::string WrongSize(const char* function, const void* block, size_t told,
                      size_t bytes) {
  return std::string(function) + " of " + Hex(block) + ": " +
         std::to_string(told) + " bytes are not what the block of " +
         std::to_string(bytes) + " bytes was asked for with";
}

// --- Frees -------------------------------------------------------------------

TEST(MisuseTest, FreeOfAForeignAddress) {
  static char foreign[64];
  ExpectReported(kOff,
                 "invalid free of " + Hex(foreign) +
                     ": not an address that hakmem handed out",
                 [] { Free(foreign); });
}

TEST(MisuseTest, FreeOfTheMiddleOfABlock) {
  for (const size_t bytes : InSlabs({32, 48, 512, 1024, 4096, 20480})) {
    char* block = Malloc(bytes);
    ExpectReported(kChecks,
                   "invalid free of " + Hex(block + 16) +
                       ": 16 bytes into a block "
                       "of " +
                       std::to_string(bytes) + " bytes at " + Hex(block),
                   [&] { Free(block + 16); });
    Free(block);
  }
}

TEST(MisuseTest, FreeOfTheMiddleOfASpanOrLargeBlock) {
  for (const size_t bytes : {100 * kKiB, 3 * kMiB}) {
    char* block = Malloc(bytes);
    ExpectReported(kOff,
                   "invalid free of " + Hex(block + 4096) +
                       ": 4096 bytes into the block at " + Hex(block),
                   [&] { Free(block + 4096); });
    Free(block);
  }
}

TEST(MisuseTest, DoubleFreeInTheBin) {
  for (const size_t bytes : InSlabs({16, 64, 1024, 4096, 32768})) {
    char* block = Malloc(bytes);
    char* other = Malloc(bytes);
    ExpectReported(kChecks, IsFreeAlready(block, bytes), [&] {
      Free(block);
      Free(other);
      Free(block);
    });
    Free(block);
    Free(other);
  }
}

TEST(MisuseTest, DoubleFreeInTheSlab) {
  for (const size_t bytes : InSlabs({64, 4096})) {
    char* block = Malloc(bytes);
    char* neighbour = Malloc(bytes);  // keeps the slab in use
    ExpectReported(kChecks, IsFreeAlready(block, bytes), [&] {
      Free(block);
      Hakmem().collect();
      Free(block);
    });
    Free(neighbour);
    Free(block);
  }
}

TEST(MisuseTest, DoubleFreeAcrossThreads) {
  char* block = Malloc(64);
  ExpectReported(kChecks, IsFreeAlready(block, 64), [&] {
    std::thread([&] { Free(block); }).join();
    Free(block);
  });
  ExpectReported(kChecks, IsFreeAlready(block, 64), [&] {
    Free(block);
    std::thread([&] { Free(block); }).join();
  });
  Free(block);
}

TEST(MisuseTest, FreeOfAFreedBlockOfASlabThatIsGone) {
  char* block = Malloc(100 * kKiB);
  const ChildResult child = RunForked([&] {
    Free(block);
    Free(block);
  });
  EXPECT_EQ(child.signal, SIGABRT);
  EXPECT_EQ(child.err.rfind("hakmem: double free of " + Hex(block), 0), 0u)
      << child.err;
  Free(block);
}

// --- Sizes and alignments ----------------------------------------------------

struct WrongTerms {
  size_t asked;
  size_t told;
  size_t usable;  // the same in full as in the other levels
};

TEST(MisuseTest, SizedDeleteWithTheWrongSize) {
  for (const WrongTerms& each : {WrongTerms{24, 40, 32},
                                 {24, 8, 32},
                                 {1000, 1100, 1024},
                                 {5000, 64, 5120},
                                 {64, 5000, 64}}) {
    void* block = Opaque(::operator new(each.asked));
    ExpectReported(kChecks,
                   WrongSize("operator delete", block, each.told, each.usable),
                   [&] { ::operator delete(Opaque(block), each.told); });
    ::operator delete(block, each.asked);
  }
}

TEST(MisuseTest, FreeSizedWithTheWrongSize) {
  // A block that realloc shrank in place may keep more than needed.
  for (const WrongTerms& each : {WrongTerms{24, 40, 32},
                                 {1000, 100, 1024},
                                 {20000, 25000, 20480},
                                 {300000, 3000, 303104},
                                 {5000000, 50000, 5001216}}) {
    void* block = Malloc(each.asked);
    const size_t usable = Hakmem().malloc_usable_size(block);
    EXPECT_GE(usable, each.asked);
    ExpectReported(kChecks, WrongSize("free_sized", block, each.told, usable),
                   [&] { Hakmem().free_sized(Opaque(block), each.told); });
    Hakmem().free_sized(block, each.asked);
  }
}

TEST(MisuseTest, AlignedDeleteOfABlockWithoutTheAlignment) {
  // Of neighbouring blocks of 48 bytes every other one is aligned to 32.
  std::vector<void*> blocks(100);
  for (void*& each : blocks) each = Opaque(::operator new(48));
  void* block = *std::find_if(blocks.begin(), blocks.end(),
                              [](void* each) { return !IsAligned(each, 32); });
  ExpectReported(
      kChecks,
      "operator delete of " + Hex(block) +
          ": the block is not aligned to 32 bytes",
      [&] { ::operator delete(Opaque(block), std::align_val_t(32)); });
  for (void* each : blocks) ::operator delete(each);
}

TEST(MisuseTest, PlainSizedDeleteOfAnAlignedBlock) {
  void* block = Opaque(::operator new(24, std::align_val_t(64)));
  ExpectReported(kChecks, WrongSize("operator delete", block, 24, 64),
                 [&] { ::operator delete (Opaque(block), size_t{24}); });
  ::operator delete (block, size_t{24}, std::align_val_t(64));
}

TEST(MisuseTest, WhatIsRightPasses) {
  const ChildResult child = RunForked([] {
    std::mt19937_64 random(1);
    for (int i = 0; i < 20000; ++i) {
      const size_t bytes = AnySize(random);
      ::operator delete(Opaque(::operator new(bytes)), bytes);
      const size_t alignment = size_t{16} << random() % 9;
      const auto aligned = static_cast<std::align_val_t>(alignment);
      ::operator delete(Opaque(::operator new(bytes, aligned)), bytes, aligned);
      ::operator delete(Opaque(::operator new(bytes, aligned)), aligned);
      void* block = Hakmem().malloc(bytes);
      const size_t other = AnySize(random);
      Hakmem().free_sized(Hakmem().realloc(block, other), other);
      Hakmem().free_aligned_sized(Hakmem().aligned_alloc(alignment, bytes),
                                  alignment, bytes);
    }
  });
  EXPECT_EQ(child.exit_code, 0) << child.signal;
  EXPECT_EQ(child.err, "");
}

// --- Writes ------------------------------------------------------------------

TEST(MisuseTest, WriteToAFreedBlockIsFoundAtReuse) {
  // While much free memory is resident, blocks are reused somewhat later.
  Hakmem().collect();
  for (const size_t bytes : {16u, 64u, 1024u, 4096u}) {
    char* block = Malloc(bytes);
    ExpectReported(kChecks, HasChanged(block, bytes), [&] {
      Free(block);
      *Opaque(block) = 'x';
      if (LevelHere() == kFull) Hakmem().collect();  // flushes the quarantine
      Malloc(bytes);
    });
    Free(block);
  }
}

TEST(MisuseTest, WriteToTheRestOfAFreedBlockIsFoundInFull) {
  for (const size_t bytes : {16u, 64u, 1024u, 4096u}) {
    char* block = Malloc(bytes);
    ExpectReported(kFull, HasChanged(block, bytes), [&] {
      Free(block);
      Opaque(block)[bytes - 1] ^= 1;
      Hakmem().collect();
    });
    Free(block);
  }
}

// --- Full --------------------------------------------------------------------

class MisuseFullTest : public testing::Test {
 protected:
  void SetUp() override {
    if (LevelHere() != kFull) GTEST_SKIP() << "only with --//hardening=full";
  }
};

TEST_F(MisuseFullTest, ASlabEndsInAGuard) {
  for (const size_t bytes : {16u, 1024u, 4096u}) {
    char* block = Malloc(bytes);
    constexpr uintptr_t kSlab = 64 * kKiB;
    char* const end =
        block - reinterpret_cast<uintptr_t>(block) % kSlab + kSlab - 4 * kKiB;
    ExpectFault([&] { *Opaque(end) = 1; });
    ExpectFault([&] { *Opaque(end + 4 * kKiB - 1) = 1; });
    Free(block);
  }
}

TEST_F(MisuseFullTest, GuardsLieAroundALargeBlock) {
  for (const size_t bytes : {2 * kMiB, 5000000ul}) {
    char* block = Malloc(bytes);
    const size_t usable = Hakmem().malloc_usable_size(block);
    memset(block, 1, usable);
    ExpectFault([&] { *Opaque(block - 1) = 1; });
    ExpectFault([&] { *Opaque(block + usable) = 1; });
    ExpectFault([&] {
      Free(block);
      *Opaque(block) = 1;
    });
    Free(block);
  }
}

TEST_F(MisuseFullTest, BlocksComeInRandomOrder) {
  char* blocks[64];
  for (char*& block : blocks) block = Malloc(96);
  int ascending = 0;
  for (size_t i = 1; i < std::size(blocks); ++i) {
    ascending += blocks[i] > blocks[i - 1];
  }
  EXPECT_GT(ascending, 10);
  EXPECT_LT(ascending, 53);
  for (char* block : blocks) Free(block);
}

TEST_F(MisuseFullTest, AFreedBlockWaits) {
  char* block = Malloc(64);
  Free(block);
  for (int i = 0; i < 500; ++i) {
    char* other = Malloc(64);
    ASSERT_NE(other, block);
    Free(other);
  }
}

TEST_F(MisuseFullTest, NothingOfTheProgramsIsLeftInAFreedBlock) {
  char* block = Malloc(64);
  memset(block, 'p', 64);
  Free(block);
  EXPECT_EQ(std::count(block, block + 64, 'p'), 0);
}

TEST_F(MisuseFullTest, GuardedSlabsGiveTheirMemoryBack) {
  const size_t before = ResidentBytes();
  std::vector<char*> blocks(50000);
  for (char*& block : blocks) memset(block = Malloc(1000), 1, 1000);
  for (char* block : blocks) Free(block);
  blocks = {};
  Hakmem().collect();
  EXPECT_LT(ResidentBytes(), before + 8 * kMiB);
}

// --- Options -----------------------------------------------------------------

int FreeTwice() {
  char* block = Malloc(64);
  Free(block);
  Free(block);
  return 0;
}
const ChildProgram free_twice("free_twice", FreeTwice);

TEST(MisuseTest, TheStackIsWrittenWhenAskedFor) {
  const ChildResult child =
      RunChildProgram("free_twice", {{"HAKMEM_ABORT_STACK", "1"}});
  EXPECT_EQ(child.signal, SIGABRT);
  EXPECT_EQ(child.err.rfind("hakmem: double free of 0x", 0), 0u) << child.err;
  for (const char* part : {"  #0 0x", "FreeTwice"}) {
    EXPECT_EQ(child.err.find(part) != std::string::npos, HasTracing())
        << child.err;
  }
}

int LookAtAFreedBlock() {
  for (const size_t bytes : {64u, 4096u, 32768u, 40000u, 500000u}) {
    char* block = Malloc(bytes);
    memset(block, 'p', bytes);
    Free(block);
    // All but the mark at the start of a slab's block.
    for (size_t i = 8; i < bytes; ++i) {
      if (Opaque(block)[i] != 0) return 1;
    }
  }
  return 0;
}
const ChildProgram look_at_a_freed_block("look_at_a_freed_block",
                                         LookAtAFreedBlock);

TEST_F(MisuseFullTest, FreedMemoryIsZeroedWhenAskedFor) {
  const ChildResult child =
      RunChildProgram("look_at_a_freed_block", {{"HAKMEM_ZERO_ON_FREE", "1"}});
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

}  // namespace
}  // namespace hakmem_test
