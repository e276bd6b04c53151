// Runs the remote-free protocol under every interleaving of its atomic steps.
//
// The protocol is a template over its page, so here its atomics are stand-ins
// that give control to a scheduler before each operation. Threads are fibers; a
// depth-first search goes through all schedules. That is sequential
// consistency: every step is a read-modify-write or a load that follows one,
// and what weaker orders may do is argued in remote_frees.h and left to TSan.

#include "backend/remote_frees.h"

#include <gtest/gtest.h>
#include <ucontext.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace hakmem {
namespace {

// --- A scheduler of fibers ---------------------------------------------------

class Scheduler {
 public:
  using Body = std::function<void()>;

  // Calls `make` for a fresh state and its threads, and `check` after all of
  // them have ended, once for every schedule. Returns the number of schedules.
  int64_t ExploreAll(const std::function<std::vector<Body>()>& make,
                     const std::function<void()>& check) {
    int64_t schedules = 0;
    std::vector<Choice> path;
    do {
      RunOnce(make(), path);
      check();
      ++schedules;
      // Backtrack to the last choice that has an alternative left.
      while (!path.empty() && path.back().taken + 1 == path.back().options) {
        path.pop_back();
      }
      if (!path.empty()) ++path.back().taken;
    } while (!path.empty() && !testing::Test::HasFailure());
    return schedules;
  }

  static void Yield() {
    Scheduler* self = current_;
    Fiber& fiber = *self->fibers_[self->running_];
    swapcontext(&fiber.context, &self->main_);
  }

 private:
  struct Choice {
    size_t taken;
    size_t options;
  };
  struct Fiber {
    ucontext_t context;
    Body body;
    bool done = false;
    std::vector<char> stack = std::vector<char>(64 << 10);
  };

  static void Enter() {
    Scheduler* self = current_;
    Fiber& fiber = *self->fibers_[self->running_];
    fiber.body();
    fiber.done = true;
    swapcontext(&fiber.context, &self->main_);
  }

  void RunOnce(std::vector<Body> bodies, std::vector<Choice>& path) {
    current_ = this;
    while (fibers_.size() < bodies.size()) {
      fibers_.push_back(std::make_unique<Fiber>());
    }
    for (size_t i = 0; i < bodies.size(); ++i) {
      Fiber& fiber = *fibers_[i];
      fiber.body = std::move(bodies[i]);
      fiber.done = false;
      getcontext(&fiber.context);
      fiber.context.uc_stack = {fiber.stack.data(), 0, fiber.stack.size()};
      fiber.context.uc_link = nullptr;
      makecontext(&fiber.context, &Enter, 0);
    }
    for (size_t depth = 0;; ++depth) {
      std::vector<size_t> ready;
      for (size_t i = 0; i < bodies.size(); ++i) {
        if (!fibers_[i]->done) ready.push_back(i);
      }
      if (ready.empty()) break;
      if (depth == path.size()) path.push_back({0, ready.size()});
      running_ = ready[path[depth].taken];
      swapcontext(&main_, &fibers_[running_]->context);
    }
    current_ = nullptr;
  }

  static inline Scheduler* current_ = nullptr;
  ucontext_t main_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  size_t running_ = 0;

 public:
  static bool IsRunning() { return current_ != nullptr; }
};

void Step() {
  if (Scheduler::IsRunning()) Scheduler::Yield();
}

// An atomic whose every operation is a step.
template <typename T>
class SteppedAtomic {
 public:
  T load(std::memory_order) const { return Step(), value_; }
  void store(T value, std::memory_order) { Step(), value_ = value; }
  T exchange(T value, std::memory_order) {
    Step();
    return std::exchange(value_, value);
  }
  T fetch_or(T value, std::memory_order) {
    Step();
    return std::exchange(value_, static_cast<T>(value_ | value));
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order,
                             std::memory_order) {
    Step();
    if (value_ != expected) return expected = value_, false;
    value_ = desired;
    return true;
  }

 private:
  T value_{};
};

// --- The protocol's parties --------------------------------------------------

struct Page;

struct Heap {
  SteppedAtomic<Page*> waiting_pages;
};

struct Page {
  SteppedAtomic<Heap*> owner;
  SteppedAtomic<bool> waiting;
  Page* next_waiting = nullptr;
  SteppedAtomic<unsigned> bits;
};

constexpr auto kRelaxed = std::memory_order_relaxed;

// What FreeRemotely does with one block.
void FreeBlock(Page* page, unsigned bit) {
  Heap* owner = page->owner.load(kRelaxed);
  const unsigned before = page->bits.fetch_or(bit, std::memory_order_release);
  ASSERT_EQ(before & bit, 0u);
  DeliverRemotePage(page, owner);
}

struct State {
  Heap heaps[2];
  Page pages[2];
  unsigned harvested[2] = {0, 0};  // by heap
};

void Collect(State& s, int heap) {
  CollectRemotePages<Page>(&s.heaps[heap], [&](Page* page) {
    const unsigned bits = page->bits.exchange(0, std::memory_order_acquire);
    ASSERT_EQ(s.harvested[heap] & bits, 0u) << "a block came back twice";
    s.harvested[heap] |= bits;
  });
}

class RemoteFrees : public testing::Test {
 protected:
  void Begin(int pages) {
    state_ = std::make_unique<State>();
    for (int p = 0; p < pages; ++p) {
      state_->pages[p].owner.store(&state_->heaps[0], kRelaxed);
    }
  }

  // After all is quiet, collecting must find every block there was, once.
  void ExpectAllHarvested(unsigned by_first, unsigned by_second) {
    Collect(*state_, 0);
    Collect(*state_, 1);
    ASSERT_EQ(state_->harvested[0], by_first);
    ASSERT_EQ(state_->harvested[1], by_second);
    for (Page& page : state_->pages) {
      ASSERT_FALSE(page.waiting.load(kRelaxed));
      ASSERT_EQ(page.bits.load(kRelaxed), 0u);
    }
  }

  std::unique_ptr<State> state_;
  Scheduler scheduler_;
};

TEST_F(RemoteFrees, TwoThreadsFreeIntoOnePageWhileItsOwnerCollects) {
  const int64_t schedules = scheduler_.ExploreAll(
      [&]() -> std::vector<Scheduler::Body> {
        Begin(1);
        State& s = *state_;
        return {[&s] { FreeBlock(&s.pages[0], 1); },
                [&s] { FreeBlock(&s.pages[0], 2); }, [&s] { Collect(s, 0); }};
      },
      [&] { ExpectAllHarvested(3, 0); });
  EXPECT_GT(schedules, 10'000);
}

TEST_F(RemoteFrees, OneThreadFreesTwiceWhileTheOwnerCollectsTwice) {
  const int64_t schedules = scheduler_.ExploreAll(
      [&]() -> std::vector<Scheduler::Body> {
        Begin(1);
        State& s = *state_;
        return {[&s] {
                  FreeBlock(&s.pages[0], 1);
                  FreeBlock(&s.pages[0], 2);
                },
                [&s] {
                  Collect(s, 0);
                  Collect(s, 0);
                }};
      },
      [&] { ExpectAllHarvested(3, 0); });
  EXPECT_GT(schedules, 1'000);
}

TEST_F(RemoteFrees, TwoPagesOfOneOwnerShareItsStack) {
  const int64_t schedules = scheduler_.ExploreAll(
      [&]() -> std::vector<Scheduler::Body> {
        Begin(2);
        State& s = *state_;
        return {[&s] { FreeBlock(&s.pages[0], 1); },
                [&s] { FreeBlock(&s.pages[1], 2); }, [&s] { Collect(s, 0); }};
      },
      [&] { ExpectAllHarvested(3, 0); });
  EXPECT_GT(schedules, 10'000);
}

// Two threads free a page's last two blocks. Its owner, once it has both, gives
// the page up; another heap begins it anew, hands out a block, and that block
// is freed remotely too, while the first two threads may still be delivering.
TEST_F(RemoteFrees, APageChangesOwnerWhileADeliveryIsUnderWay) {
  int64_t changed = 0;
  const int64_t schedules = scheduler_.ExploreAll(
      [&]() -> std::vector<Scheduler::Body> {
        Begin(1);
        State& s = *state_;
        return {[&s] { FreeBlock(&s.pages[0], 1); },
                [&s] { FreeBlock(&s.pages[0], 2); },
                [&s, &changed] {
                  Collect(s, 0);
                  if (s.harvested[0] != 3) return;
                  ++changed;
                  s.pages[0].owner.store(nullptr, kRelaxed);
                  s.pages[0].owner.store(&s.heaps[1],
                                         std::memory_order_release);
                  FreeBlock(&s.pages[0], 4);
                }};
      },
      [&] {
        Collect(*state_, 0);
        Collect(*state_, 1);
        const unsigned all = state_->harvested[0] | state_->harvested[1];
        const bool was_changed =
            state_->pages[0].owner.load(kRelaxed) == &state_->heaps[1];
        ASSERT_EQ(all, was_changed ? 7u : 3u);
        ASSERT_EQ(state_->harvested[1], was_changed ? 4u : 0u);
      });
  EXPECT_GT(schedules, 10'000);
  EXPECT_GT(changed, 100);
}

}  // namespace
}  // namespace hakmem
