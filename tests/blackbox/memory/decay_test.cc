// Memory that the program no longer uses is returned to the operating system:
// by decay within seconds, and at once on request.
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kTotal = 256 * kMiB;

struct Growth {
  const char* name;
  size_t smallest;
  size_t largest;
};

class DecayTest : public testing::TestWithParam<Growth> {
 protected:
  // Fills 256 MiB with blocks and frees them all, not in address order.
  void GrowAndFree() {
    base_ = ResidentBytes();
    std::mt19937_64 random(1);
    BlockChain chains[16];
    for (size_t bytes = 0; bytes < kTotal;) {
      const size_t size =
          GetParam().smallest +
          random() % (GetParam().largest - GetParam().smallest + 1);
      void* block = malloc(size);
      ASSERT_NE(block, nullptr);
      Fill(block, size, 1);
      chains[random() % 16].Push(block);
      bytes += size;
    }
    peak_ = ResidentBytes();
    ASSERT_GE(peak_, base_ + kTotal / 10 * 9);
    for (BlockChain& chain : chains) {
      while (void* block = chain.Pop()) free(block);
    }
  }

  // The base and a tenth of the growth to the peak.
  size_t Enough() const { return base_ + (peak_ - base_) / 10; }

  // Simulates a mostly idle program: one block of some size every millisecond.
  // Returns when resident memory has fallen, or after `limit`.
  void LightActivityUntilBack(std::chrono::seconds limit) {
    std::mt19937_64 random(2);
    const auto end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end &&
           ResidentBytes() > Enough()) {
      void* block = malloc(AnySize(random) / 8);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      free(block);
    }
  }

  size_t base_ = 0;
  size_t peak_ = 0;
};

TEST_P(DecayTest, LightActivityGivesMemoryBackWithinSeconds) {
  const ChildResult child = RunForked([this] {
    GrowAndFree();
    LightActivityUntilBack(std::chrono::seconds(4));
    EXPECT_LE(ResidentBytes(), Enough()) << "peak " << peak_;
    EXPECT_LT(Stats().committed_bytes, kTotal / 10 + 8 * kMiB);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

TEST_P(DecayTest, CollectGivesMemoryBackAtOnce) {
  const ChildResult child = RunForked([this] {
    GrowAndFree();
    Hakmem().collect();
    EXPECT_LE(ResidentBytes(), Enough()) << "peak " << peak_;
    // All of it can be used again.
    GrowAndFree();
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

TEST_P(DecayTest, WhatExitedThreadsFreedGoesBackToo) {
  const ChildResult child = RunForked([this] {
    std::thread([this] { GrowAndFree(); }).join();
    LightActivityUntilBack(std::chrono::seconds(4));
    EXPECT_LE(ResidentBytes(), Enough()) << "peak " << peak_;
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

INSTANTIATE_TEST_SUITE_P(
    EveryKind, DecayTest,
    testing::Values(Growth{"Small", 16, 1040},
                    Growth{"Spans", 20 * kKiB, 20 * kKiB},
                    Growth{"MixedSpans", 2 * kKiB, 900 * kKiB},
                    Growth{"Large", kTotal, kTotal}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(DecayWhileHoldingTest, WhatIsHeldStays) {
  const ChildResult child = RunForked([] {
    std::vector<void*> held;
    std::vector<void*> freed;
    for (int i = 0; i < 4000; ++i) {
      void* block = malloc(20 * kKiB);
      Fill(block, 20 * kKiB, i);
      (i % 8 == 0 ? held : freed).push_back(block);
    }
    const size_t peak = ResidentBytes();
    for (void* block : freed) free(block);
    Hakmem().collect();
    EXPECT_LT(ResidentBytes() + 60 * kMiB, peak);
    for (size_t i = 0; i < held.size(); ++i) {
      EXPECT_TRUE(Holds(held[i], 20 * kKiB, i * 8));
      free(held[i]);
    }
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

}  // namespace
}  // namespace hakmem_test
