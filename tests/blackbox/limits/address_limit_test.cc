// When the system refuses memory, requests fail with NULL and ENOMEM; after
// memory is freed, the process continues.
#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kLimit = 256 * kMiB;

// Allocates blocks of `size` until malloc fails. Returns their bytes.
size_t FillUp(size_t size, BlockChain* blocks) {
  errno = 0;
  while (void* block = malloc(size)) {
    blocks->Push(block);
    static_cast<char*>(block)[size - 1] = 1;
  }
  EXPECT_EQ(errno, ENOMEM) << size;
  return blocks->count() * size;
}

void FreeAll(BlockChain* blocks) {
  while (void* block = blocks->Pop()) free(block);
}

class AddressLimitTest : public testing::TestWithParam<size_t> {};

TEST_P(AddressLimitTest, AllocationFailsAndWorksAgainAfterFrees) {
  const size_t size = GetParam();
  const ChildResult child = RunForked([size] {
    LimitAddressSpace(kLimit);
    BlockChain blocks;
    const size_t first = FillUp(size, &blocks);
    EXPECT_GE(first, kLimit / 2);

    // While nothing is left, all other allocation functions fail as well.
    errno = 0;
    EXPECT_EQ(calloc(3, kLimit / 3), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    errno = 0;
    void* one = blocks.Pop();
    EXPECT_EQ(realloc(one, kLimit), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    free(one);
    void* aligned = nullptr;
    EXPECT_EQ(posix_memalign(&aligned, 4096, kLimit), ENOMEM);

    FreeAll(&blocks);
    void* half = malloc(kLimit / 2);
    EXPECT_NE(half, nullptr) << "a block of half the limit after " << size;
    free(half);
    for (const size_t other : {size_t{64}, 20 * kKiB, 3 * kMiB}) {
      EXPECT_GE(FillUp(other, &blocks), kLimit / 2)
          << other << " after " << size;
      FreeAll(&blocks);
    }
    // A tenth, or one block, may be missing compared with the first time:
    // metadata took some address space.
    EXPECT_GE(FillUp(size, &blocks) + size, first / 10 * 9);
    FreeAll(&blocks);
  });
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.signal, 0);
  EXPECT_EQ(child.err, "");
}

INSTANTIATE_TEST_SUITE_P(EveryKind, AddressLimitTest,
                         testing::Values(64, 1000, 20 * kKiB, 3 * kMiB,
                                         50 * kMiB));

TEST(AddressLimitThreadsTest, ThreadsFailAndRecoverTogether) {
  const ChildResult child = RunForked([] {
    // Threads first: none can start while others hold everything.
    std::atomic<bool> go = false;
    std::atomic<int> served = 0;
    std::vector<std::thread> threads;
    for (uint64_t seed = 0; seed < 4; ++seed) {
      threads.emplace_back([&go, &served, seed] {
        while (!go) std::this_thread::yield();
        for (int round = 0; round < 5; ++round) {
          std::mt19937_64 random(seed);
          BlockChain blocks;
          while (void* block = malloc(16 + AnySize(random))) {
            blocks.Push(block);
          }
          FreeAll(&blocks);
        }
        ++served;
      });
    }
    LimitAddressSpace(kLimit);
    go = true;
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(served, 4);
    void* half = malloc(kLimit / 2);
    EXPECT_NE(half, nullptr);
    free(half);
  });
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.signal, 0);
  EXPECT_EQ(child.err, "");
}

}  // namespace
}  // namespace hakmem_test
