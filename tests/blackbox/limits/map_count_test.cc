// The kernel's limit on mappings (vm.max_map_count, 65530) is never reached
// first, however many blocks up to 1 MiB there are. Larger blocks are a mapping
// each, so it may be reached, and is reported.
//
// HAKMEM_TEST_LIVE_BLOCKS: number of live blocks. Nothing is written to them,
// so they take only address space.
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kMostMappings = 2000;

size_t LiveBlocks() {
  const char* value = getenv("HAKMEM_TEST_LIVE_BLOCKS");
  return value == nullptr ? 0 : strtoull(value, nullptr, 10);
}

size_t Mappings() {
  FILE* maps = fopen("/proc/self/maps", "re");
  size_t lines = 0;
  for (int c = getc(maps); c != EOF; c = getc(maps)) lines += c == '\n';
  fclose(maps);
  return lines;
}

// A table of `count` addresses, not allocated by malloc.
void** NewTable(size_t count) {
  void* table = mmap(nullptr, count * sizeof(void*), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT_NE(table, MAP_FAILED);
  return static_cast<void**>(table);
}

struct Sizes {
  const char* name;
  size_t least;
  size_t most;
};

class MapCountTest : public testing::TestWithParam<Sizes> {
 protected:
  // Any size from the least to the most, each magnitude equally likely.
  size_t AnySize() {
    const double least = std::log(GetParam().least);
    const double most = std::log(GetParam().most);
    return static_cast<size_t>(
        std::exp(std::uniform_real_distribution<>(least, most)(random_)));
  }

  std::mt19937_64 random_{1};
};

TEST_P(MapCountTest, StaysSmallWhateverIsFreed) {
  const ChildResult child = RunForked([this] {
    const size_t count = LiveBlocks();
    ASSERT_GT(count, 0u);
    void** blocks = NewTable(count);
    const auto allocate = [&](size_t first, size_t step) {
      for (size_t i = first; i < count; i += step) {
        blocks[i] = malloc(AnySize());
        ASSERT_NE(blocks[i], nullptr) << i << " live, " << Mappings();
      }
    };
    const auto release = [&](size_t first, size_t step) {
      for (size_t i = first; i < count; i += step) free(blocks[i]);
    };
    allocate(0, 1);
    EXPECT_LT(Mappings(), kMostMappings) << "all live";
    release(0, 2);
    EXPECT_LT(Mappings(), kMostMappings) << "every second one free";
    Hakmem().collect();
    EXPECT_LT(Mappings(), kMostMappings) << "and purged";
    allocate(0, 2);
    EXPECT_LT(Mappings(), kMostMappings) << "all live again";
    release(1, 2);
    Hakmem().collect();
    EXPECT_LT(Mappings(), kMostMappings) << "the others free";
    release(0, 2);
    Hakmem().collect();
    EXPECT_LT(Mappings(), kMostMappings / 4) << "all free";
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
  EXPECT_EQ(child.signal, 0);
}

INSTANTIATE_TEST_SUITE_P(
    EverySize, MapCountTest,
    testing::Values(Sizes{"Tiny", 16, 32}, Sizes{"Small", 16, 1024},
                    Sizes{"Mid", 1100, 32 * kKiB}, Sizes{"Mixed", 16, kMiB}),
    [](const auto& info) { return std::string(info.param.name); });

// Large blocks are a mapping each, until the limit. From there on the kernel
// can still grow one into a neighbour, so some requests succeed; one that needs
// a new mapping fails and reports the cause.
TEST(LargeMapCountTest, ReachingTheLimitIsReportedAndOutlived) {
  size_t limit = 0;
  FILE* file = fopen("/proc/sys/vm/max_map_count", "re");
  if (file == nullptr || fscanf(file, "%zu", &limit) != 1 || limit > 100'000) {
    GTEST_SKIP() << "vm.max_map_count is unknown, or too large to reach";
  }
  fclose(file);
  const ChildResult child = RunForked([limit] {
    constexpr size_t kSize = kMiB + 1;
    const size_t most = limit + 100;
    void** blocks = NewTable(most);
    // Of 100 KiB: about each tenth needs a chunk, and some of those a region.
    constexpr size_t kMostSpans = 100'000;
    void** spans = NewTable(kMostSpans);
    for (int round = 0; round < 2; ++round) {
      SCOPED_TRACE(round);
      size_t count = 0;
      while (count < most && (blocks[count] = malloc(kSize)) != nullptr) {
        ++count;
      }
      EXPECT_GE(count, limit / 100 * 95);
      size_t span_count = 0;
      errno = 0;
      while (span_count < kMostSpans &&
             (spans[span_count] = malloc(100 * kKiB)) != nullptr) {
        ++span_count;
      }
      ASSERT_LT(span_count, kMostSpans);
      EXPECT_EQ(errno, ENOMEM);
      if (HasTracing()) {
        hakmem_failure_t failure = {};
        ASSERT_EQ(Hakmem().last_failure(&failure, sizeof(failure)), 1);
        EXPECT_EQ(failure.cause, HAKMEM_CAUSE_MAPFAIL);
        EXPECT_EQ(failure.subcause, HAKMEM_SUBCAUSE_MAX_MAP_COUNT);
      }

      // Once some mappings are gone, every request is served again.
      for (size_t i = 0; i < count; i += 2) free(blocks[i]);
      void* one = malloc(100 * kKiB);
      EXPECT_NE(one, nullptr);
      free(one);
      for (size_t i = 1; i < count; i += 2) free(blocks[i]);
      while (span_count != 0) free(spans[--span_count]);
      Hakmem().collect();
      EXPECT_LT(Mappings(), kMostMappings);
    }
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
  EXPECT_EQ(child.signal, 0);
}

}  // namespace
}  // namespace hakmem_test
