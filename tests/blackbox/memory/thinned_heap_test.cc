// A heap of small blocks that is thinned out, but for some blocks in each slab,
// gives the pages back that no block in use lies on.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kTotal = 64 * kMiB;

// Blocks that begin on each 16th page stay.
constexpr size_t kPage = 4096;
constexpr size_t kKeepEvery = 16;

class ThinnedHeapTest : public testing::TestWithParam<size_t> {
 protected:
  void GrowAndThinOut() {
    std::vector<void*> all(kTotal / GetParam());
    kept_.reserve(all.size());
    base_ = ResidentBytes();
    for (size_t i = 0; i < all.size(); ++i) {
      all[i] = malloc(GetParam());
      ASSERT_NE(all[i], nullptr);
      Fill(all[i], GetParam(), KeyOf(all[i]));
    }
    peak_ = ResidentBytes();
    ASSERT_GE(peak_, base_ + kTotal / 10 * 9);
    for (void* block : all) {
      if (reinterpret_cast<uintptr_t>(block) / kPage % kKeepEvery == 0) {
        kept_.push_back(block);
      } else {
        free(block);
      }
    }
    ASSERT_GT(kept_.size(), all.size() / (2 * kKeepEvery));
  }

  // The pages of what stayed are at most two in sixteen.
  size_t Enough() const { return base_ + (peak_ - base_) / 4; }

  void ExpectContents() {
    for (void* block : kept_) {
      ASSERT_TRUE(Holds(block, GetParam(), KeyOf(block)));
    }
  }

  // What was freed serves again, and what stayed is not touched by it.
  void UseAgain() {
    std::vector<void*> blocks(kTotal / GetParam() / 2);
    for (void*& block : blocks) {
      block = malloc(GetParam());
      ASSERT_NE(block, nullptr);
      Fill(block, GetParam(), KeyOf(block));
    }
    ExpectContents();
    for (void* block : blocks) {
      ASSERT_TRUE(Holds(block, GetParam(), KeyOf(block)));
      free(block);
    }
    for (void* block : kept_) free(block);
  }

  static int KeyOf(const void* block) {
    return static_cast<int>(reinterpret_cast<uintptr_t>(block) >> 4 & 0x7fff);
  }

  std::vector<void*> kept_;
  size_t base_ = 0;
  size_t peak_ = 0;
};

TEST_P(ThinnedHeapTest, LightActivityGivesFreePagesBack) {
  const ChildResult child = RunForked([this] {
    GrowAndThinOut();
    std::mt19937_64 random(2);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(4);
    while (std::chrono::steady_clock::now() < end &&
           ResidentBytes() > Enough()) {
      void* block = malloc(AnySize(random) / 8);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      free(block);
    }
    EXPECT_LE(ResidentBytes(), Enough()) << "peak " << peak_;
    ExpectContents();
    UseAgain();
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

TEST_P(ThinnedHeapTest, CollectGivesFreePagesBackAtOnce) {
  const ChildResult child = RunForked([this] {
    GrowAndThinOut();
    Hakmem().collect();
    EXPECT_LE(ResidentBytes(), Enough()) << "peak " << peak_;
    ExpectContents();
    UseAgain();
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

INSTANTIATE_TEST_SUITE_P(Sizes, ThinnedHeapTest,
                         testing::Values(64, 208, 1024));

}  // namespace
}  // namespace hakmem_test
