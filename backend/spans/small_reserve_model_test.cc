// Runs the small reserve under every interleaving of threads that take the only
// block of a class and free it, with memory as weak as C11 allows
// (testing/interleaver).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>

// First the replacements for atomics and locks.
#include "tests/interleaving/in_place_of_lock.h"
#include "tests/interleaving/in_place_of_std.h"
//
#include "backend/spans/small_reserve.cc"
#include "tests/interleaving/mutants.h"

namespace hakmem {
namespace {

using interleaver::Explore;
using interleaver::Options;
using interleaver::Plain;
using interleaver::Require;
using interleaver::Result;
using interleaver::Threads;

// There is one block of this size.
constexpr size_t kBytes = SmallReserve::kMaxBytes;

struct State {
  Plain<int> block;  // represents its contents
};

class SmallReserveModel : public testing::Test {
 protected:
  // Takes the block if it is free, writes to it and frees it.
  void Use(int mark) {
    const auto block =
        reinterpret_cast<uintptr_t>(SmallReserve::Allocate(kBytes, 0));
    if (block == 0) return;
    ++served_;
    state_->block = mark;
    Require(state_->block == mark, "two threads have the block");
    Require(SmallReserve::Free(block), "a block in use is not taken back");
  }

  Result UseByThree(const Options& options) {
    return Explore(
        [this] {
          // A failed run may have left it taken.
          if (SmallReserve::BytesAt(address_) != 0)
            SmallReserve::Free(address_);
          state_ = std::make_unique<State>();
          return Threads{[this] { Use(1); }, [this] { Use(2); },
                         [this] { Use(3); }};
        },
        [] {
          const auto block =
              reinterpret_cast<uintptr_t>(SmallReserve::Allocate(kBytes, 0));
          Require(block != 0, "the block is lost");
          Require(SmallReserve::Free(block), "the block is not taken back");
        },
        options);
  }

  static uintptr_t FindBlock() {
    const auto block =
        reinterpret_cast<uintptr_t>(SmallReserve::Allocate(kBytes, 0));
    SmallReserve::Free(block);
    return block;
  }

  const uintptr_t address_ = FindBlock();
  std::unique_ptr<State> state_;
  int64_t served_ = 0;
};

TEST_F(SmallReserveModel, OneThreadAtATimeHasTheBlock) {
  const Result result = UseByThree({});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
  EXPECT_GT(served_, result.runs);
}

TEST_F(SmallReserveModel, NeedsItsMemoryOrders) {
  EXPECT_THAT(interleaver::WeakenEach("small_reserve.cc",
                                      [this](const Options& options) {
                                        return UseByThree(options);
                                      })
                  .texts,
              testing::ElementsAre());
}

}  // namespace
}  // namespace hakmem
