// ACE's caches adapt to the program's requests, and shrink when there are none.
#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kBuffer = 33 * kKiB;

void UseBuffers(int times) {
  for (int i = 0; i < times; ++i) {
    void* buffer = malloc(kBuffer);
    Fill(buffer, 100, i);
    free(Opaque(buffer));
  }
}

// A few requests of other sizes, spread over time.
void WorkALittle(int milliseconds) {
  for (int i = 0; i < milliseconds; ++i) {
    free(Opaque(malloc(100)));
    free(Opaque(malloc(70 * kKiB)));
    usleep(1000);
  }
}

TEST(AdaptivePoolTest, ASizeAskedForOftenGetsAClassAndLosesItAgain) {
  const ChildResult child = RunForked([] {
    const hakmem_stats_t before = Stats();
    UseBuffers(1000);
    void* buffer = malloc(kBuffer);
    EXPECT_EQ(malloc_usable_size(buffer), 36 * kKiB);
    free(buffer);
    const hakmem_stats_t after = Stats();
    EXPECT_GT(after.ace_span_classes, before.ace_span_classes);
    EXPECT_GT(after.ace_classes_begun, before.ace_classes_begun);
    EXPECT_GE(after.ace_cached_bytes, 36 * kKiB);
    WorkALittle(3000);
    EXPECT_GT(Stats().ace_classes_retired, after.ace_classes_retired);
    EXPECT_LE(Stats().ace_cached_bytes, before.ace_cached_bytes + 512 * kKiB);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

TEST(AdaptivePoolTest, AnIdleProgramKeepsNothingAfterItsNextCalls) {
  const ChildResult child = RunForked([] {
    std::vector<void*> blocks;
    for (int i = 0; i < 2000; ++i) {
      blocks.push_back(malloc(2100 + i * 37 % (60 * kKiB)));
      if (i % 3 == 0) {
        free(blocks.back());
        blocks.pop_back();
      }
    }
    for (void* block : blocks) free(block);
    EXPECT_GT(Stats().cached_bytes, 100 * kKiB);
    usleep(1'500'000);
    // Just enough calls for one look at the clock.
    for (int i = 0; i < 32; ++i) free(Opaque(malloc(5000 * (i % 4 + 8))));
    EXPECT_LT(Stats().ace_cached_bytes, 256 * kKiB);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

TEST(AdaptivePoolTest, WhatOnePhaseHeldMakesRoomForTheNext) {
  const ChildResult child = RunForked([] {
    const auto phase = [](size_t size) {
      std::vector<void*> blocks(32 * kMiB / size);
      for (void*& block : blocks) {
        block = malloc(size);
        Fill(block, size, size);
      }
      for (void* block : blocks) free(block);
    };
    phase(33 * kKiB);
    const size_t after_one = ResidentBytes();
    for (int round = 0; round < 3; ++round) {
      for (const size_t size :
           {100 * kKiB, 700 * size_t{1}, 33 * kKiB, 5 * kKiB}) {
        phase(size);
      }
    }
    // Far below the sum of four phases, though no purge was due.
    EXPECT_LT(ResidentBytes(), after_one + 20 * kMiB);
    EXPECT_GT(Stats().bins_emptied, 0u);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

// Returns 0 if sizes cost what the waste cap of 2 % allows.
int WithASmallWasteCap() {
  const hakmem_stats_t before = Stats();
  void* near = malloc(9200);  // of the class of 9216 bytes: 0.2 %
  void* far = malloc(8300);   // would waste 11 % in it
  const hakmem_stats_t after = Stats();
  if (malloc_usable_size(near) != 9216) return 1;
  if (malloc_usable_size(far) != 12 * kKiB) return 2;  // a span of whole pages
  return after.routings == before.routings + 1 ? 0 : 3;
}
const ChildProgram with_a_small_waste_cap("with_a_small_waste_cap",
                                          WithASmallWasteCap);

TEST(AdaptivePoolTest, AWasteCapRoutesARequestToPagesOfItsOwn) {
  const ChildResult child = RunChildProgram(
      "with_a_small_waste_cap", {{"HAKMEM_ACE_WASTE_PERCENT", "2"}});
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

}  // namespace
}  // namespace hakmem_test
