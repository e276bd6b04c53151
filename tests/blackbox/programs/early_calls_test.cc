// Calls from an IFUNC resolver of this program: the loader runs it during
// relocation, before any constructor, and before thread-local variables have
// their initial values.
#include <malloc.h>

#include <cstdlib>
#include <thread>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kSizes[] = {1,     16,    100,    1000,    2048,   3000,
                             20000, 33000, 300000, 1 << 20, 3 << 20};
constexpr size_t kCount = std::size(kSizes);
constexpr size_t kManyBlocks = 1000;

struct EarlyBlocks {
  void* plain[kCount];
  void* zeroed[kCount];
  void* aligned[kCount];
  void* moved[kCount];
  void* many[kManyBlocks];
  bool right;
  bool done;
};

EarlyBlocks early;

// No exceptions, and no library but malloc's: nothing else may be ready.
void AllocateEarly() {
  early.right = true;
  for (size_t i = 0; i < kCount; ++i) {
    const size_t size = kSizes[i];
    early.plain[i] = malloc(size);
    early.zeroed[i] = calloc(1, size);
    early.aligned[i] = memalign(256, size);
    void* freed = malloc(size);
    void* grown = malloc(size / 2 + 1);
    if (early.plain[i] == nullptr || early.zeroed[i] == nullptr ||
        early.aligned[i] == nullptr || freed == nullptr || grown == nullptr) {
      early.right = false;
      return;
    }
    *static_cast<char*>(grown) = 'g';
    early.moved[i] = realloc(grown, size);
    early.right = early.right && early.moved[i] != nullptr &&
                  *static_cast<char*>(early.moved[i]) == 'g' &&
                  malloc_usable_size(freed) >= size;
    free(freed);
  }
  for (void*& block : early.many) block = malloc(48);
  for (size_t i = 0; i < kManyBlocks; i += 2) {
    free(early.many[i]);
    early.many[i] = nullptr;
  }
  early.done = true;
}

int Answer() { return 42; }

}  // namespace

extern "C" {
// Not static, or clang would give it another name.
__attribute__((visibility("hidden"))) int (*ResolveEarly())() {
  AllocateEarly();
  return &Answer;
}
static int EarlyAnswer() __attribute__((ifunc("ResolveEarly")));
}  // extern "C"

namespace {

TEST(EarlyCallsTest, TheResolverRan) {
  EXPECT_EQ(EarlyAnswer(), 42);
  EXPECT_TRUE(early.done);
  EXPECT_TRUE(early.right);
}

TEST(EarlyCallsTest, ItsBlocksAreLikeAnyOther) {
  ASSERT_TRUE(early.done);
  const hakmem_stats_t before = Stats();
  for (size_t i = 0; i < kCount; ++i) {
    const size_t size = kSizes[i];
    SCOPED_TRACE(size);
    EXPECT_TRUE(IsZero(early.zeroed[i], size));
    EXPECT_TRUE(IsAligned(early.aligned[i], 256));
    for (void* block : {early.plain[i], early.zeroed[i], early.aligned[i]}) {
      EXPECT_GE(malloc_usable_size(block), size);
      Fill(block, size, i);
    }
  }
  for (void* block : early.many) {
    if (block != nullptr) Fill(block, 48, 48);
  }
  EXPECT_TRUE(AllocateAndFree(1, 2000));
  for (size_t i = 0; i < kCount; ++i) {
    const size_t size = kSizes[i];
    SCOPED_TRACE(size);
    early.plain[i] = realloc(early.plain[i], size * 2);
    for (void* block : {early.plain[i], early.zeroed[i], early.aligned[i]}) {
      EXPECT_TRUE(Holds(block, size, i));
    }
    free(early.plain[i]);
    free(early.zeroed[i]);
    // Freed by another thread than the allocating one.
    std::thread([i] {
      free(early.aligned[i]);
      free(early.moved[i]);
    }).join();
  }
  for (void* block : early.many) {
    if (block == nullptr) continue;
    EXPECT_TRUE(Holds(block, 48, 48));
    free(block);
  }
  EXPECT_LT(CollectedStats().live_bytes + (4 << 20), before.live_bytes);
  EXPECT_EQ(HeapProblems(), 0);
}

TEST(EarlyCallsTest, TheMainThreadHasACacheAllTheSame) {
  free(Opaque(malloc(100)));
  EXPECT_EQ(CollectedStats().threads, 1u);
}

}  // namespace
}  // namespace hakmem_test
