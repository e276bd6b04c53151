// Resident memory is what the program touches, not what it requests: in
// sparsely touched blocks, whatever the program did before, and in short-lived
// arrays of zeros.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kPage = 4096;

// Whether the kernel makes huge pages wherever it can, unasked.
bool KernelMakesHugePagesUnasked() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string text;
  std::getline(file, text);
  return text.find("[always]") != std::string::npos;
}

// The metadata allowed for the blocks, as the divisor of what is touched. With
// full hardening some 3 KiB of each slab.
size_t MetadataPart() {
  const char* hardening = getenv("HAKMEM_EXPECT_HARDENING");
  return hardening != nullptr && std::string(hardening) == "full" ? 3 : 8;
}

void* Plain(size_t size) { return malloc(size); }
void* Zeroed(size_t size) { return calloc(1, size); }

// Blocks of one size. Each test has a process of its own, with empty caches.
class Blocks {
 public:
  void Add(size_t count, size_t size, size_t touched,
           void* (*make)(size_t) = Plain) {
    for (size_t i = 0; i < count; ++i) {
      char* block = static_cast<char*>(Opaque(make(size)));
      ASSERT_NE(block, nullptr);
      memset(block, 1, touched);
      blocks_.push_back(block);
    }
  }
  ~Blocks() {
    for (char* block : blocks_) free(block);
  }

 private:
  std::vector<char*> blocks_;
};

// The bytes that `add` makes resident.
template <typename Add>
size_t Grown(Add&& add) {
  const size_t before = ResidentBytes();
  add();
  const size_t after = ResidentBytes();
  return after > before ? after - before : 0;
}

TEST(SparseMemoryTest, LargeBlocksAfterDenseOnes) {
  // The kernel's settings decide on large blocks.
  if (KernelMakesHugePagesUnasked()) GTEST_SKIP();
  for (void* (*const make)(size_t) : {&Plain, &Zeroed}) {
    for (const size_t dense : {1, 20}) {
      const ChildResult result = RunForked([&] {
        Blocks blocks;
        for (size_t i = 0; i < dense; ++i) {
          Blocks().Add(1, 8 * kMiB, 8 * kMiB);
        }
        const size_t grown =
            Grown([&] { blocks.Add(500, 8 * kMiB, 2 * kPage, make); });
        // One of them reuses the dense block's memory, and one may lie in huge
        // pages.
        EXPECT_LT(grown, 500 * 2 * kPage + 11 * kMiB) << dense;
      });
      EXPECT_EQ(result.exit_code, 0) << result.err;
    }
  }
}

struct Sparse {
  const char* name;
  size_t size;
};

class SparseBlocksTest : public testing::TestWithParam<Sparse> {};

// At most 1.15 times what is touched, whether or not earlier blocks were dense.
TEST_P(SparseBlocksTest, TakeWhatIsTouched) {
  const size_t size = GetParam().size;
  const size_t count = 256 * kMiB / size;
  for (const size_t dense : {size_t{0}, 64 * kMiB / size}) {
    const ChildResult result = RunForked([&] {
      Blocks blocks;
      blocks.Add(dense, size, size);
      const size_t grown = Grown([&] { blocks.Add(count, size, kPage); });
      // A block that starts within a page touches two.
      const size_t touched = count * (size % kPage == 0 ? kPage : 2 * kPage);
      EXPECT_LT(grown, touched + touched / MetadataPart() + 3 * kMiB) << dense;
    });
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, SparseBlocksTest,
                         testing::Values(Sparse{"Mid", 20 * kKiB},
                                         Sparse{"LongMid", 24 * kKiB},
                                         Sparse{"Span", 40 * kKiB},
                                         Sparse{"LongSpan", 500 * kKiB},
                                         Sparse{"OddSpan", 100001}),
                         [](const auto& info) { return info.param.name; });

// Each thread's first blocks have memory of their own: with a huge page each
// they would take 2 MiB.
TEST(SparseMemoryTest, ThreadsDoNotTakeAHugePageEach) {
  if (!KernelMakesHugePagesUnasked()) GTEST_SKIP();
  constexpr size_t kThreads = 100;
  const ChildResult result = RunForked([] {
    std::latch all_have{kThreads};
    std::latch go{1};
    std::vector<std::thread> threads;
    const size_t grown = Grown([&] {
      for (size_t i = 0; i < kThreads; ++i) {
        threads.emplace_back([&] {
          Blocks blocks;
          blocks.Add(1, 64, 64);
          blocks.Add(1, 3000, 3000);
          all_have.count_down();
          go.wait();
        });
      }
      all_have.wait();
    });
    go.count_down();
    for (std::thread& thread : threads) thread.join();
    EXPECT_LT(grown, kThreads * 256 * kKiB);
  });
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

struct Arrays {
  const char* name;
  size_t least;
  size_t most;
  int zeroed_every;  // one of this many arrays is allocated by calloc
};

class ArraysTest : public testing::TestWithParam<Arrays> {};

// Short-lived arrays beside held memory: what is cached of freed ones must not
// add to what the next one takes.
TEST_P(ArraysTest, OfZerosNeedNoMoreThanTheyTake) {
  const Arrays& arrays = GetParam();
  const ChildResult result = RunForked([&] {
    Blocks held;
    held.Add(16, 8 * kMiB, 8 * kMiB);
    const size_t before = ResidentBytes();
    size_t most = 0;
    for (size_t round = 0; round < 40; ++round) {
      const size_t size =
          arrays.least + (arrays.most - arrays.least) * (round * 7 % 10) / 10;
      const bool zeroed = round % static_cast<size_t>(arrays.zeroed_every) == 0;
      char* array =
          static_cast<char*>(Opaque(zeroed ? calloc(1, size) : malloc(size)));
      ASSERT_NE(array, nullptr);
      if (zeroed) {
        ASSERT_TRUE(IsZero(array, size)) << size;
      }
      memset(array, 1, size);
      most = std::max(most, ResidentBytes() - before);
      free(array);
    }
    // Long ones are whole chunks.
    EXPECT_LT(most, arrays.most + arrays.most / 20 + 4 * kMiB);
  });
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, ArraysTest,
    testing::Values(Arrays{"Alike", 16 * kMiB, 16 * kMiB, 1},
                    Arrays{"Mixed", 16 * kMiB, 16 * kMiB, 2},
                    Arrays{"OfAllSizes", 3 * kMiB, 30 * kMiB, 1},
                    Arrays{"Short", 1100 * kKiB, 3 * kMiB, 1},
                    Arrays{"Long", 33 * kMiB, 80 * kMiB, 1},
                    Arrays{"LongAndShort", 10 * kMiB, 60 * kMiB, 1}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hakmem_test
