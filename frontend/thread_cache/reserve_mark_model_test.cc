// Runs the mark of a reserve under every interleaving (testing/interleaver): no
// block lies in a reserve that is marked empty, and the count of marks is
// right.

#include <gtest/gtest.h>

#include <memory>

// First the replacements for std::atomic.
#include "tests/interleaving/in_place_of_std.h"
//
#include "frontend/thread_cache/reserve_mark.h"
#include "tests/interleaving/atomic.h"

namespace hakmem {
namespace {

using interleaver::Explore;
using interleaver::Plain;
using interleaver::Require;
using interleaver::Result;
using interleaver::Threads;

// A step done in the wrong order, to show that the order matters.
enum class Wrong { kNothing, kNotesBefore, kMarksBehind, kLeavesMark };

struct Reserve {
  explicit Reserve(Wrong wrong) : wrong(wrong) { mark.Begin(); }

  const Wrong wrong;
  ReserveMark mark;
  std::atomic<size_t> in_use{0};
  interleaver::Lock lock;
  Plain<int> blocks = 0;

  void Put() {
    if (wrong == Wrong::kNotesBefore) mark.NoteUse(in_use);
    lock.Take();
    blocks = blocks + 1;
    lock.Release();
    if (wrong != Wrong::kNotesBefore) mark.NoteUse(in_use);
  }

  void Empty() {
    if (wrong == Wrong::kMarksBehind) {
      if (mark.IsEmpty()) return;
      if (Take()) mark.BeginEmptying(in_use);
      return;
    }
    if (!mark.BeginEmptying(in_use)) return;
    if (!Take() && wrong != Wrong::kLeavesMark) mark.NoteUse(in_use);
  }

 private:
  bool Take() {
    if (!lock.TryTake()) return false;
    blocks = 0;
    lock.Release();
    return true;
  }
};

Result ExploreReserve(Wrong wrong, int flushers) {
  std::unique_ptr<Reserve> reserve;
  return Explore(
      [&] {
        reserve = std::make_unique<Reserve>(wrong);
        Reserve* r = reserve.get();
        r->Put();
        Threads threads{[=] {
          r->Put();
          r->Put();
        }};
        for (int i = 0; i < flushers; ++i) {
          threads.push_back([=] { r->Empty(); });
        }
        return threads;
      },
      [&] {
        const size_t in_use = reserve->in_use.load(std::memory_order_relaxed);
        Require(in_use == (reserve->mark.IsEmpty() ? 0u : 1u),
                "the count of marks is wrong");
        Require(reserve->blocks == 0 || in_use == 1,
                "a block lies in a reserve that is marked empty");
      });
}

TEST(ReserveMarkModel, NoBlockLiesInAReserveThatIsMarkedEmpty) {
  for (int flushers : {1, 2}) {
    const Result result = ExploreReserve(Wrong::kNothing, flushers);
    EXPECT_TRUE(result.passed) << result.failure;
    EXPECT_GE(result.runs, 10);
  }
}

TEST(ReserveMarkModel, TheOrderMatters) {
  EXPECT_FALSE(ExploreReserve(Wrong::kNotesBefore, 1).passed);
  EXPECT_FALSE(ExploreReserve(Wrong::kMarksBehind, 1).passed);
  EXPECT_FALSE(ExploreReserve(Wrong::kLeavesMark, 1).passed);
}

}  // namespace
}  // namespace hakmem
