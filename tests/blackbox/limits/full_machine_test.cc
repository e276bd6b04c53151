// Fills nine tenths of memory with small blocks and frees them all; afterwards
// the process is as small as at the start.
//
// HAKMEM_TEST_FILL_BYTES: how much to fill; by default nine tenths of what the
// system and the cgroup have available.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

// The number in the first line of `path` that begins with `key`, or `missing`.
size_t NumberIn(const char* path, const char* key, size_t missing) {
  FILE* file = fopen(path, "re");
  if (file == nullptr) return missing;
  const std::string format = std::string(key) + "%zu";
  char line[256];
  size_t number = missing;
  while (fgets(line, sizeof(line), file) != nullptr) {
    if (sscanf(line, format.c_str(), &number) == 1) break;
  }
  fclose(file);
  return number;
}

size_t AnonymousBytes() {
  return NumberIn("/proc/self/status", "RssAnon: ", 0) * kKiB;
}

size_t FillBytes() {
  const char* value = getenv("HAKMEM_TEST_FILL_BYTES");
  if (value != nullptr) return strtoull(value, nullptr, 10);
  size_t bytes = NumberIn("/proc/meminfo", "MemAvailable: ", 0) * kKiB;
  const struct {
    const char* limit;
    const char* used;
  } cgroups[] = {
      {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
      {"/sys/fs/cgroup/memory/memory.limit_in_bytes",
       "/sys/fs/cgroup/memory/memory.usage_in_bytes"},
  };
  for (const auto& cgroup : cgroups) {
    const size_t limit = NumberIn(cgroup.limit, "", SIZE_MAX);
    const size_t used = NumberIn(cgroup.used, "", 0);
    bytes = std::min(bytes, limit - std::min(limit, used));
  }
  return bytes / 10 * 9;
}

double Seconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

// Blocks are distributed over this many chains, which are freed one after the
// other, each from its end, so neighbours are freed far apart in time. No table
// is needed besides the blocks.
constexpr size_t kChains = 4096;

struct Times {
  double fill = 0;  // seconds per operation
  double give_back = 0;
};

// Allocates blocks of 16 to 1024 bytes and touches them fully, until `bytes`
// are resident.
void Fill(size_t bytes, BlockChain* chains, Times* times) {
  std::mt19937_64 random(1);
  const size_t before = AnonymousBytes();
  size_t count = 0;
  const double begin = Seconds();
  while (AnonymousBytes() < before + bytes) {
    // Small compared with the whole, large compared with reading /proc.
    for (size_t step = 0; step < std::min<size_t>(bytes / 64, 16 * kMiB);) {
      const size_t size = 16 + random() % 1009;
      void* block = malloc(size);
      ASSERT_NE(block, nullptr) << count;
      memset(block, 1, size);
      chains[random() % kChains].Push(block);
      step += size;
      ++count;
    }
  }
  times->fill = (Seconds() - begin) / static_cast<double>(count);
}

void GiveBack(BlockChain* chains, Times* times) {
  size_t count = 0;
  const double begin = Seconds();
  for (size_t i = 0; i < kChains; ++i) {
    while (void* block = chains[i].Pop()) {
      free(block);
      ++count;
    }
  }
  times->give_back = (Seconds() - begin) / static_cast<double>(count);
}

TEST(FullMachineTest, IsAsAtTheStartWhenAllIsGivenBack) {
  static BlockChain chains[kChains];
  const size_t bytes = FillBytes();
  ASSERT_GT(bytes, 64 * kMiB);
  Times small;
  Fill(64 * kMiB, chains, &small);
  GiveBack(chains, &small);
  Hakmem().collect();
  const size_t start = AnonymousBytes();
  for (int round = 0; round < 2; ++round) {
    Times full;
    Fill(bytes, chains, &full);
    EXPECT_GE(AnonymousBytes(), bytes);
    GiveBack(chains, &full);
    Hakmem().collect();
    // A twentieth of the filled memory, not of the small process at the start.
    EXPECT_LE(AnonymousBytes(), start + bytes / 20) << "round " << round;
    printf(
        "%zu MiB: %.0f ns a malloc (%.0f of 64 MiB), %.0f ns a free (%.0f), "
        "%zu KiB over the start's %zu KiB\n",
        bytes / kMiB, full.fill * 1e9, small.fill * 1e9, full.give_back * 1e9,
        small.give_back * 1e9,
        (AnonymousBytes() - std::min(start, AnonymousBytes())) / kKiB,
        start / kKiB);
    // Cache and TLB misses grow with the heap; a linear search would grow in
    // proportion to memory.
    EXPECT_LT(full.fill, small.fill * 10 + 1e-6);
    EXPECT_LT(full.give_back, small.give_back * 10 + 1e-6);
  }
}

}  // namespace
}  // namespace hakmem_test
