// What a std::new_handler may do at the limit: free memory so that the request
// is retried, throw, or jump out of it.
#include <setjmp.h>

#include <cstdlib>
#include <new>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kRoom = 96 * kMiB;
constexpr size_t kReserve = 2 * kMiB;

int handler_calls = 0;
BlockChain reserves;
jmp_buf out;

void FreeOneReserve() {
  ++handler_calls;
  void* reserve = reserves.Pop();
  if (reserve == nullptr) throw std::bad_alloc();
  free(reserve);
}

void JumpOut() {
  ++handler_calls;
  longjmp(out, 1);
}

// Runs `body` in a child under a small limit, and expects that it leaks
// nothing.
template <typename Body>
void ExpectRightAtTheLimit(const Body& body) {
  const ChildResult child = RunForked([&] {
    const hakmem_stats_t before = CollectedStats();
    LimitAddressSpace(kRoom);
    body();
    ExpectHeapVerifies(before);
  });
  EXPECT_EQ(child.exit_code, 0) << child.signal << child.err;
}

void FreeAll(BlockChain& blocks) {
  while (void* block = blocks.Pop()) ::operator delete(block);
}

class NewHandlerTest : public testing::TestWithParam<size_t> {};

TEST_P(NewHandlerTest, WhatItFreesServesTheRequest) {
  const size_t size = GetParam();
  ExpectRightAtTheLimit([size] {
    constexpr int kReserves = 4;
    for (int i = 0; i < kReserves; ++i) reserves.Push(malloc(kReserve));
    std::set_new_handler(FreeOneReserve);
    BlockChain blocks;
    size_t when_first_called = 0;
    bool thrown = false;
    while (!thrown) {
      try {
        blocks.Push(::operator new(size));
      } catch (const std::bad_alloc&) {
        thrown = true;
      }
      if (handler_calls != 0 && when_first_called == 0) {
        when_first_called = blocks.count();
      }
    }
    // Each reserve made room; the call after the last one threw.
    EXPECT_EQ(handler_calls, kReserves + 1);
    EXPECT_EQ(reserves.count(), 0u);
    EXPECT_GT(when_first_called, 0u);
    EXPECT_GE((blocks.count() - when_first_called) * size, kReserve);
    // nothrow calls the handler as well, and swallows its exception.
    EXPECT_EQ(::operator new(Opaque(kRoom), std::nothrow), nullptr);
    EXPECT_EQ(handler_calls, kReserves + 2);
    FreeAll(blocks);
    std::set_new_handler(nullptr);
  });
}

TEST_P(NewHandlerTest, JumpingOutOfItLeavesNothingBehind) {
  const size_t size = GetParam();
  ExpectRightAtTheLimit([size] {
    std::set_new_handler(JumpOut);
    static BlockChain blocks;
    for (int round = 0; round < 5; ++round) {
      if (setjmp(out) == 0) {
        for (;;) blocks.Push(::operator new(size));
      }
      EXPECT_EQ(handler_calls, round + 1);
      EXPECT_GT(blocks.count() * size, kRoom / 4);
      // Still at the limit, and usable.
      free(blocks.Pop());
      EXPECT_NE(blocks.count(), 0u);
      void* again = malloc(size);
      EXPECT_NE(again, nullptr);
      free(again);
      FreeAll(blocks);
    }
    std::set_new_handler(nullptr);
  });
}

INSTANTIATE_TEST_SUITE_P(EveryKind, NewHandlerTest,
                         testing::Values(1000, 20 * kKiB, 300 * kKiB,
                                         3 * kMiB));

}  // namespace
}  // namespace hakmem_test
