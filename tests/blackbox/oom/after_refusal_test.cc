// After a refusal the program still gets what it needs to handle that: small
// blocks, in any thread, whatever has filled memory. Freed memory is available
// again after the next refusal.
#include <malloc.h>
#include <sys/resource.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <tuple>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kRoom = 256 * kMiB;

size_t DataBytes() {
  size_t kib = 0;
  FILE* status = fopen("/proc/self/status", "re");
  char line[256];
  while (fgets(line, sizeof(line), status) != nullptr) {
    if (sscanf(line, "VmData: %zu", &kib) == 1) break;
  }
  fclose(status);
  return kib * kKiB;
}

void LimitAddresses() { LimitAddressSpace(kRoom); }

void LimitData() {
  const rlimit limit = {DataBytes() + kRoom, RLIM_INFINITY};
  ASSERT_EQ(setrlimit(RLIMIT_DATA, &limit), 0);
}

void FillUp(size_t size, BlockChain* blocks) {
  errno = 0;
  while (void* block = malloc(size)) blocks->Push(block);
  EXPECT_EQ(errno, ENOMEM);
}

// Requests of an error path; none of the size that has filled memory.
constexpr size_t kSmall[] = {24, 100, 500, 1024, 4096};
constexpr size_t kRounds = 3;

// Frees what it allocates, so that every round and thread finds it again.
void AskForSmallOnes() {
  for (size_t round = 0; round < kRounds; ++round) {
    void* blocks[std::size(kSmall)];
    for (size_t i = 0; i < std::size(kSmall); ++i) {
      blocks[i] = malloc(kSmall[i]);
      ASSERT_NE(blocks[i], nullptr) << kSmall[i] << " in round " << round;
      EXPECT_TRUE(IsAligned(blocks[i], 16));
      EXPECT_GE(malloc_usable_size(blocks[i]), kSmall[i]);
      Fill(blocks[i], kSmall[i], i);
    }
    void* grown = realloc(blocks[0], 200);
    ASSERT_NE(grown, nullptr);
    EXPECT_TRUE(Holds(grown, kSmall[0], 0));
    free(grown);
    for (size_t i = 1; i < std::size(kSmall); ++i) {
      EXPECT_TRUE(Holds(blocks[i], kSmall[i], i)) << kSmall[i];
      free(blocks[i]);
    }
    void* zeroed = calloc(1, 500);
    ASSERT_NE(zeroed, nullptr);
    EXPECT_TRUE(IsZero(zeroed, 500));
    free(zeroed);
    void* aligned = nullptr;
    ASSERT_EQ(posix_memalign(&aligned, 256, 300), 0);
    EXPECT_TRUE(IsAligned(aligned, 256));
    free(aligned);
  }
}

struct Limit {
  const char* name;
  void (*set)();
};

class AfterRefusalTest
    : public testing::TestWithParam<std::tuple<Limit, size_t>> {};

TEST_P(AfterRefusalTest, SmallOnesAreServedInAnyThread) {
  const auto [limit, size] = GetParam();
  const ChildResult child = RunForked([limit, size] {
    std::atomic<int> step = 0;
    // It has allocated nothing before memory runs out.
    std::thread other([&step] {
      while (step != 1) std::this_thread::yield();
      AskForSmallOnes();
      step = 2;
      while (step != 3) std::this_thread::yield();
    });
    limit.set();
    BlockChain blocks;
    for (int fill = 0; fill < 2; ++fill) {
      FillUp(size, &blocks);
      AskForSmallOnes();
      if (fill == 0) {
        step = 1;
        while (step != 2) std::this_thread::yield();
      }
      EXPECT_EQ(Hakmem().check_heap(), 0);
      while (void* block = blocks.Pop()) free(block);
      EXPECT_EQ(Hakmem().check_heap(), 0);
    }
    step = 3;
    other.join();
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
  EXPECT_EQ(child.signal, 0);
}

INSTANTIATE_TEST_SUITE_P(
    EveryLimitAndSize, AfterRefusalTest,
    testing::Combine(testing::Values(Limit{"Addresses", LimitAddresses},
                                     Limit{"Data", LimitData}),
                     testing::Values(64, 3000, 20000, 100000, 600000, 3000000)),
    [](const auto& info) {
      return std::get<0>(info.param).name +
             std::to_string(std::get<1>(info.param));
    });

// A pool at its configured limit gets no emergency blocks: the limit is exact.
int FillThePool() {
  BlockChain blocks;
  while (void* block = malloc(3000)) blocks.Push(block);
  const bool refused = malloc(4096) == nullptr && errno == ENOMEM;
  void* tiny = malloc(100);
  return refused && tiny != nullptr && blocks.count() * 3000 <= 8 * kMiB ? 0
                                                                         : 1;
}
const ChildProgram fill_the_pool("fill_the_pool", FillThePool);

TEST(AfterRefusal, APoolAtItsLimitStaysWithinIt) {
  if (!HasAce()) GTEST_SKIP() << "no mid blocks";
  const ChildResult child =
      RunChildProgram("fill_the_pool", {{"HAKMEM_ACE_LIMIT_MB", "8"}});
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

// Fills memory, then all that is left with small blocks. Returns the last of
// them, which is from the reserve.
char* LastBlock() {
  LimitAddressSpace(kRoom);
  BlockChain blocks;
  FillUp(3000000, &blocks);
  char* last = nullptr;
  while (void* block = malloc(500)) last = static_cast<char*>(block);
  return Opaque(last);
}

TEST(AfterRefusal, MistakesWithBlocksOfTheReserveAreTold) {
  const ChildResult twice = RunForked([] {
    char* block = LastBlock();
    free(block);
    free(block);
  });
  EXPECT_EQ(twice.signal, SIGABRT);
  EXPECT_NE(twice.err.find("double free"), std::string::npos) << twice.err;
  const ChildResult inside = RunForked([] { free(LastBlock() + 16); });
  EXPECT_EQ(inside.signal, SIGABRT);
  EXPECT_NE(inside.err.find("invalid free"), std::string::npos) << inside.err;
}

}  // namespace
}  // namespace hakmem_test
