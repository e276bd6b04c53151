// Requests that can't be served return NULL with the errno that the standards
// require, and have no other effect.
#include <malloc.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kMostPossible = PTRDIFF_MAX;
constexpr size_t kHuge = size_t{1} << 62;  // below PTRDIFF_MAX, but more than
                                           // any machine has

const size_t kTooLarge[] = {kMostPossible + 1,
                            kMostPossible + 4096,
                            SIZE_MAX - 64 * kMiB,
                            SIZE_MAX - 4096,
                            SIZE_MAX - 4095,
                            SIZE_MAX - 16,
                            SIZE_MAX - 15,
                            SIZE_MAX - 1,
                            SIZE_MAX,
                            kMostPossible,
                            kMostPossible - 1,
                            kMostPossible - 4096,
                            kMostPossible - 2 * kMiB,
                            kHuge};

// Expects that `call` returns NULL with `error` in errno, and that nothing more
// is live after it.
#define EXPECT_FAILS(call, error)                 \
  do {                                            \
    const uint64_t live = Stats().live_bytes;     \
    errno = 0;                                    \
    EXPECT_EQ((call), nullptr) << #call;          \
    EXPECT_EQ(errno, error) << #call;             \
    EXPECT_EQ(Stats().live_bytes, live) << #call; \
  } while (false)

TEST(ImpossibleRequestsTest, SizesBeyondWhatThereIs) {
  const Library& library = Hakmem();
  for (const size_t size : kTooLarge) {
    SCOPED_TRACE(size);
    EXPECT_FAILS(malloc(Opaque(size)), ENOMEM);
    EXPECT_FAILS(calloc(1, Opaque(size)), ENOMEM);
    EXPECT_FAILS(calloc(Opaque(size), 1), ENOMEM);
    EXPECT_FAILS(realloc(nullptr, Opaque(size)), ENOMEM);
    EXPECT_FAILS(reallocarray(nullptr, 1, Opaque(size)), ENOMEM);
    EXPECT_FAILS(valloc(Opaque(size)), ENOMEM);
    EXPECT_FAILS(pvalloc(Opaque(size)), ENOMEM);
    EXPECT_FAILS(library.malloc(size), ENOMEM);
    EXPECT_FAILS(library.calloc(1, size), ENOMEM);
    EXPECT_FAILS(library.realloc(nullptr, size), ENOMEM);
    EXPECT_FAILS(library.reallocarray(nullptr, size, 1), ENOMEM);
    EXPECT_FAILS(library.valloc(size), ENOMEM);
    EXPECT_FAILS(library.pvalloc(size), ENOMEM);
    for (const size_t alignment : {16u, 64u, 4096u, 1u << 21, 1u << 26}) {
      EXPECT_FAILS(memalign(alignment, Opaque(size)), ENOMEM);
      EXPECT_FAILS(aligned_alloc(alignment, Opaque(size)), ENOMEM);
      EXPECT_FAILS(library.memalign(alignment, size), ENOMEM);
      EXPECT_FAILS(library.aligned_alloc(alignment, size), ENOMEM);
    }
  }
}

TEST(ImpossibleRequestsTest, ProductsThatOverflow) {
  const Library& library = Hakmem();
  struct {
    size_t count;
    size_t size;
  } const products[] = {
      {SIZE_MAX, 2},
      {2, SIZE_MAX},
      {SIZE_MAX, SIZE_MAX},
      {SIZE_MAX / 2 + 1, 2},               // wraps to 0
      {size_t{1} << 32, size_t{1} << 32},  // wraps to 0
      {(size_t{1} << 32) + 1, size_t{1} << 32},
      {SIZE_MAX / 16 + 2, 16},             // wraps to 16
      {size_t{1} << 40, size_t{1} << 23},  // fits, but beyond PTRDIFF_MAX
  };
  for (const auto& [count, size] : products) {
    SCOPED_TRACE(testing::Message() << count << " times " << size);
    EXPECT_FAILS(calloc(Opaque(count), Opaque(size)), ENOMEM);
    EXPECT_FAILS(reallocarray(nullptr, Opaque(count), Opaque(size)), ENOMEM);
    EXPECT_FAILS(library.calloc(count, size), ENOMEM);
    EXPECT_FAILS(library.reallocarray(nullptr, count, size), ENOMEM);
  }
}

TEST(ImpossibleRequestsTest, AFailedReallocLeavesTheBlock) {
  for (const size_t size : {1u, 100u, 20000u, 5000000u}) {
    SCOPED_TRACE(size);
    void* block = malloc(size);
    ASSERT_NE(block, nullptr);
    Fill(block, size, size);
    const size_t usable = malloc_usable_size(block);
    for (const size_t too_large : kTooLarge) {
      EXPECT_FAILS(realloc(Opaque(block), Opaque(too_large)), ENOMEM);
      EXPECT_FAILS(reallocarray(Opaque(block), 1, Opaque(too_large)), ENOMEM);
      EXPECT_FAILS(Hakmem().realloc(Opaque(block), Opaque(too_large)), ENOMEM);
    }
    EXPECT_FAILS(reallocarray(Opaque(block), Opaque(SIZE_MAX), 2), ENOMEM);
    EXPECT_FAILS(
        Hakmem().reallocarray(Opaque(block), Opaque(SIZE_MAX / 2 + 1), 2),
        ENOMEM);
    EXPECT_EQ(malloc_usable_size(block), usable);
    EXPECT_TRUE(Holds(block, size, size));
    free(block);
  }
}

// There is no power of two to round them up to.
TEST(ImpossibleRequestsTest, AlignmentsAboveEveryPowerOfTwo) {
  for (const size_t alignment :
       {SIZE_MAX, SIZE_MAX / 2 + 2, SIZE_MAX / 4 * 3}) {
    SCOPED_TRACE(alignment);
    EXPECT_FAILS(aligned_alloc(Opaque(alignment), 100), EINVAL);
    EXPECT_FAILS(memalign(Opaque(alignment), 100), EINVAL);
    EXPECT_FAILS(Hakmem().aligned_alloc(alignment, 100), EINVAL);
    EXPECT_FAILS(Hakmem().memalign(alignment, 100), EINVAL);
  }
}

TEST(ImpossibleRequestsTest, AlignmentsBeyondWhatThereIs) {
  for (const size_t alignment :
       {kHuge, SIZE_MAX / 2 + 1, SIZE_MAX / 2, kHuge + 1}) {
    SCOPED_TRACE(alignment);
    for (const size_t size : {size_t{0}, size_t{1}, kHuge}) {
      EXPECT_FAILS(aligned_alloc(Opaque(alignment), size), ENOMEM);
      EXPECT_FAILS(memalign(Opaque(alignment), size), ENOMEM);
    }
  }
}

// posix_memalign returns the error; the pointer and errno are unchanged.
void ExpectPosixMemalignFails(size_t alignment, size_t size, int error) {
  for (const auto function : {&posix_memalign, Hakmem().posix_memalign}) {
    int untouched;
    void* block = &untouched;
    errno = 1234;
    EXPECT_EQ(function(&block, Opaque(alignment), Opaque(size)), error)
        << alignment << " " << size;
    EXPECT_EQ(errno, 1234);
    EXPECT_EQ(block, &untouched);
  }
}

TEST(ImpossibleRequestsTest, PosixMemalignReturnsTheError) {
  for (const size_t alignment :
       {size_t{0}, size_t{1}, size_t{2}, size_t{4}, size_t{12}, size_t{24},
        size_t{4097}, SIZE_MAX}) {
    ExpectPosixMemalignFails(alignment, 100, EINVAL);
  }
  for (const size_t size : kTooLarge) {
    ExpectPosixMemalignFails(8, size, ENOMEM);
    ExpectPosixMemalignFails(4096, size, ENOMEM);
    ExpectPosixMemalignFails(1 << 26, size, ENOMEM);
  }
  ExpectPosixMemalignFails(kHuge, 100, ENOMEM);
  ExpectPosixMemalignFails(kHuge, kHuge, ENOMEM);
}

TEST(ImpossibleRequestsTest, PosixMemalignKeepsErrnoWhenItSucceeds) {
  for (const size_t size : {1u, 20000u, 5000000u}) {
    void* block = nullptr;
    errno = 1234;
    ASSERT_EQ(posix_memalign(&block, 64, size), 0);
    EXPECT_EQ(errno, 1234);
    free(block);
  }
}

TEST(ImpossibleRequestsTest, NothingIsWritten) {
  // The caller reports a failure; the allocator does only if tracing is on.
  const ChildResult child = RunForked([] {
    for (const size_t size : kTooLarge) free(malloc(Opaque(size)));
  });
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.err, "");
}

}  // namespace
}  // namespace hakmem_test
