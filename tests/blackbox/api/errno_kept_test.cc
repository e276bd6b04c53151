// free keeps errno, even where it makes system calls; so does a malloc that
// succeeds.
#include <cerrno>
#include <cstdlib>
#include <new>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr int kMarked = 12345;  // not a system error

TEST(ErrnoKeptTest, ByFreesOfEveryKind) {
  for (const size_t size : {size_t{1}, size_t{100}, size_t{1040}, 20 * kKiB,
                            600 * kKiB, 3 * kMiB, 100 * kMiB}) {
    const size_t count = size > kMiB ? 4 : size > kKiB ? 100 : 20000;
    for (int round = 0; round < 3; ++round) {
      std::vector<void*> blocks(count);
      for (void*& block : blocks) {
        errno = kMarked;
        block = malloc(size);
        ASSERT_NE(block, nullptr);
        ASSERT_EQ(errno, kMarked) << size;
        Fill(block, size, 1);
      }
      for (size_t i = 0; i < count; ++i) {
        errno = kMarked;
        switch (i % 3) {
          case 0:
            free(blocks[i]);
            break;
          case 1:
            ::operator delete(blocks[i]);
            break;
          default:
            Hakmem().free_sized(blocks[i], size);
        }
        ASSERT_EQ(errno, kMarked) << size;
      }
    }
    errno = kMarked;
    free(nullptr);
    EXPECT_EQ(errno, kMarked);
  }
}

TEST(ErrnoKeptTest, ByCallsThatGiveMemoryBack) {
  for (int round = 0; round < 50; ++round) {
    std::vector<void*> blocks(200);
    for (size_t i = 0; i < blocks.size(); ++i) {
      blocks[i] = malloc(i * kKiB);
      Fill(blocks[i], i * kKiB, 1);
    }
    for (void* block : blocks) {
      errno = kMarked;
      free(block);
      ASSERT_EQ(errno, kMarked);
    }
    Hakmem().collect();
    ASSERT_EQ(errno, kMarked);
  }
}

TEST(ErrnoKeptTest, ByFreesAfterAFailure) {
  // The program reads errno after its cleanup.
  void* blocks[] = {malloc(10), malloc(20000), malloc(5000000)};
  errno = 0;
  EXPECT_EQ(malloc(Opaque(~size_t{0})), nullptr);
  for (void* block : blocks) free(block);
  EXPECT_EQ(errno, ENOMEM);
}

}  // namespace
}  // namespace hakmem_test
