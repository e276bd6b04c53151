// Each thread gets a ring of its own, rings of ended threads are reused, and no
// more threads than there are rings get one.
#include "tracing/events/event_rings.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "tracing/events/zeroed_test_helper.h"

namespace hakmem {
namespace {

using hakmem_test::Zeroed;

constexpr size_t kCount = EventRings::kCount;

uint32_t ThreadId() { return static_cast<uint32_t>(syscall(SYS_gettid)); }

// Threads that each took a ring and live until this goes out of scope.
class Owners {
 public:
  Owners(EventRings& rings, size_t count) {
    std::atomic<size_t> ready{0};
    for (size_t i = 0; i < count; ++i) {
      threads_.emplace_back([&, this] {
        EventRing* ring = rings.Take(ThreadId(), 0);
        {
          std::lock_guard lock(mutex_);
          taken_.push_back(ring);
        }
        ++ready;
        while (!done_) {
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
      });
    }
    while (ready != count) std::this_thread::yield();
  }
  ~Owners() {
    done_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

  const std::vector<EventRing*>& taken() const { return taken_; }

 private:
  std::atomic<bool> done_{false};
  std::mutex mutex_;
  std::vector<EventRing*> taken_;
  std::vector<std::thread> threads_;
};

size_t RingsEverTaken(EventRings& rings) {
  size_t count = 0;
  rings.ForEach([&](EventRing&) { ++count; });
  return count;
}

TEST(EventRings, NoRingIsTakenAtFirst) {
  Zeroed<EventRings> rings;
  EXPECT_EQ(RingsEverTaken(*rings), 0u);
}

TEST(EventRings, LivingThreadsGetARingEachWhileThereAreAny) {
  Zeroed<EventRings> rings;
  errno = 77;
  EventRing* own = rings->Take(ThreadId(), 0);
  ASSERT_NE(own, nullptr);
  EXPECT_EQ(rings->OwnerOf(own), ThreadId());
  Owners owners(*rings, kCount);
  std::set<EventRing*> different(owners.taken().begin(), owners.taken().end());
  // One of them got none.
  EXPECT_EQ(different.size(), kCount);
  EXPECT_EQ(different.count(own), 0u);
  EXPECT_EQ(different.count(nullptr), 1u);
  EXPECT_EQ(RingsEverTaken(*rings), kCount);
  EXPECT_EQ(errno, 77);
}

TEST(EventRings, RingsOfEndedThreadsAreTakenWhenNoneIsUnused) {
  Zeroed<EventRings> rings;
  std::set<EventRing*> first;
  {
    Owners owners(*rings, kCount);
    first.insert(owners.taken().begin(), owners.taken().end());
    EXPECT_EQ(first.count(nullptr), 0u);
    EXPECT_EQ(rings->Take(ThreadId(), 0), nullptr);
  }
  // The kernel still reports a thread for a moment after it was joined. The
  // clock passed to Take advances meanwhile.
  uint64_t now = 0;
  EventRing* ring = nullptr;
  while (ring == nullptr) {
    now += EventRings::kSearchEveryNs;
    ring = rings->Take(ThreadId(), now);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(first.count(ring), 1u);
  EXPECT_EQ(rings->OwnerOf(ring), ThreadId());
}

TEST(EventRings, AfterASearchInVainTheKernelIsLeftAloneForAWhile) {
  Zeroed<EventRings> rings;
  {
    Owners owners(*rings, kCount);
    EXPECT_EQ(rings->Take(ThreadId(), 5), nullptr);
  }
  // The time since the owners ended must not matter.
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(rings->Take(ThreadId(), 5), nullptr);
  EXPECT_EQ(rings->Take(ThreadId(), 4 + EventRings::kSearchEveryNs), nullptr);
}

TEST(EventRings, UnusedRingsComeBeforeThoseOfEndedThreads) {
  Zeroed<EventRings> rings;
  std::set<EventRing*> taken;
  for (size_t i = 0; i < 20; ++i) {
    Owners owner(*rings, 1);
    taken.insert(owner.taken().front());
  }
  // Fewer only if the kernel gave two of the threads the same id.
  EXPECT_GE(taken.size(), 19u);
}

TEST(EventRings, AThreadWithTheIdOfAnEndedOneTakesItsRing) {
  Zeroed<EventRings> rings;
  EventRing* ring = rings->Take(ThreadId(), 0);
  EXPECT_TRUE(ring->Record({}));
  EXPECT_EQ(rings->Take(ThreadId(), 0), ring);
  EXPECT_EQ(rings->OwnerOf(ring), ThreadId());
  // What the first recorded stays.
  EXPECT_EQ(ring->Recorded(), 1u);
  EXPECT_EQ(RingsEverTaken(*rings), 1u);
}

TEST(EventRings, AChildBeginsWithItsOwnRingAndNoEvents) {
  Zeroed<EventRings> rings;
  Owners others(*rings, kCount);
  for (EventRing* ring : others.taken()) ring->Record({});
  // This thread plays the thread in the child; one of the others is its
  // counterpart in the parent.
  EventRing* own = others.taken().front();
  rings->BeginInChild(own, ThreadId());
  EXPECT_EQ(rings->OwnerOf(own), ThreadId());
  rings->ForEach([](EventRing& ring) { EXPECT_EQ(ring.Recorded(), 0u); });
  // The parent's threads live, but not in the child.
  EXPECT_EQ(rings->Take(ThreadId(), 0), own);
  EventRing* other = rings->Take(ThreadId() + 1, 0);
  ASSERT_NE(other, nullptr);
  EXPECT_NE(other, own);
}

}  // namespace
}  // namespace hakmem
