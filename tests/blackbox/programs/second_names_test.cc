// The library also replaces the C library's alternative names for its allocator
// (__libc_malloc and others), so a block may be allocated, resized and freed by
// any of them.
#include <malloc.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

extern "C" {
void* __libc_malloc(size_t);
void __libc_free(void*);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void* __libc_valloc(size_t);
void* __libc_pvalloc(size_t);
}

namespace hakmem_test {
namespace {

const size_t kSizes[] = {0, 1, 100, 3000, 20 * kKiB, 200 * kKiB, 5 * kMiB};

TEST(SecondNamesTest, BlocksOfEitherNameAreFreedByTheOther) {
  for (const size_t size : kSizes) {
    SCOPED_TRACE(size);
    for (void* block :
         {__libc_malloc(size), __libc_calloc(size, 1),
          __libc_realloc(nullptr, size), __libc_memalign(4096, size),
          __libc_valloc(size), __libc_pvalloc(size)}) {
      ASSERT_NE(block, nullptr);
      EXPECT_GE(malloc_usable_size(block), size);
      Fill(block, size, size);
      block = realloc(block, size + 5000);
      EXPECT_TRUE(Holds(block, size, size));
      free(block);
    }
    for (void* block : {malloc(size), calloc(size, 1), memalign(4096, size)}) {
      Fill(block, size, size);
      block = __libc_realloc(block, size + 5000);
      EXPECT_TRUE(Holds(block, size, size));
      __libc_free(block);
    }
  }
  __libc_free(nullptr);
}

TEST(SecondNamesTest, TheyKeepTheirPromises) {
  for (const size_t size : kSizes) {
    void* block = __libc_calloc(size, 3);
    EXPECT_TRUE(IsZero(block, size * 3));
    __libc_free(block);
    block = __libc_memalign(512, size);
    EXPECT_TRUE(IsAligned(block, 512));
    __libc_free(block);
    block = __libc_valloc(size);
    EXPECT_TRUE(IsAligned(block, 4096));
    __libc_free(block);
  }
  errno = 0;
  EXPECT_EQ(__libc_malloc(Opaque(SIZE_MAX)), nullptr);
  EXPECT_EQ(errno, ENOMEM);
}

TEST(SecondNamesTest, AProgramsWrappersReachThisLibraryByThem) {
  EXPECT_EQ(system(getenv("HAKMEM_TEST_SECOND_NAMES_PROGRAM")), 0);
}

}  // namespace
}  // namespace hakmem_test
