// What threads record while events are on, and only that, can be read by any
// thread, in each thread's order.
#include "tracing/events/events.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <map>
#include <thread>
#include <vector>

#include "tracing/events/event_rings.h"

namespace hakmem {
namespace {

constexpr uint64_t kCapacity = EventRing::kCapacity;

uint32_t ThreadId() { return static_cast<uint32_t>(syscall(SYS_gettid)); }

uint64_t NowNs() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 +
         static_cast<uint64_t>(t.tv_nsec);
}

// An event of the calling thread with `n` in every field.
void RecordNumber(uint64_t n) {
  RecordEvent(Operation::kAllocate, reinterpret_cast<void*>(n), n, n,
              reinterpret_cast<void*>(n));
}

std::vector<AllocationEvent> AllEvents() {
  std::vector<AllocationEvent> events;
  const size_t visited = VisitEvents(
      [](const AllocationEvent& event, void* all) {
        static_cast<std::vector<AllocationEvent>*>(all)->push_back(event);
      },
      &events);
  EXPECT_EQ(visited, events.size());
  return events;
}

std::vector<uint64_t> NumbersOf(uint32_t thread) {
  std::vector<uint64_t> numbers;
  for (const AllocationEvent& event : AllEvents()) {
    if (event.thread == thread) numbers.push_back(event.bytes);
  }
  return numbers;
}

std::vector<uint64_t> FromTo(uint64_t from, uint64_t to) {
  std::vector<uint64_t> numbers;
  for (uint64_t n = from; n < to; ++n) numbers.push_back(n);
  return numbers;
}

class EventsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!kTracing) GTEST_SKIP() << "built with --//tracing=off";
    StopEvents();
    ASSERT_EQ(StartEvents(), 0);
  }
  void TearDown() override { StopEvents(); }
};

TEST(EventsOffTest, WithoutTracingThereAreNone) {
  if (kTracing) GTEST_SKIP() << "built with --//tracing=on";
  EXPECT_EQ(StartEvents(), ENOSYS);
  EXPECT_FALSE(EventsOn());
  RecordNumber(1);
  EXPECT_TRUE(AllEvents().empty());
  EXPECT_EQ(CountEvents().recorded, 0u);
  EXPECT_EQ(CountEvents().dropped, 0u);
}

TEST_F(EventsTest, AnEventTellsWhatWasRecorded) {
  const uint64_t before = NowNs();
  int block = 0;
  int caller = 0;
  errno = 77;
  RecordEvent(Operation::kReallocate, &block, 100, 112, &caller);
  EXPECT_EQ(errno, 77);
  const uint64_t after = NowNs();
  const std::vector<AllocationEvent> events = AllEvents();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_GE(events[0].time_ns, before);
  EXPECT_LE(events[0].time_ns, after);
  EXPECT_EQ(events[0].thread, ThreadId());
  EXPECT_EQ(events[0].operation, Operation::kReallocate);
  EXPECT_EQ(events[0].address, &block);
  EXPECT_EQ(events[0].bytes, 100u);
  EXPECT_EQ(events[0].class_bytes, 112u);
  EXPECT_EQ(events[0].caller, &caller);
}

TEST_F(EventsTest, OnlyWhatHappensWhileOnIsRecorded) {
  RecordNumber(1);
  EXPECT_TRUE(EventsOn());
  StopEvents();
  EXPECT_FALSE(EventsOn());
  RecordNumber(2);
  EXPECT_EQ(NumbersOf(ThreadId()), FromTo(1, 2));
  EXPECT_EQ(CountEvents().recorded, 1u);
  EXPECT_EQ(CountEvents().dropped, 0u);
}

TEST_F(EventsTest, StartingAgainForgets) {
  RecordNumber(1);
  // No effect while events are on.
  EXPECT_EQ(StartEvents(), 0);
  EXPECT_EQ(NumbersOf(ThreadId()), FromTo(1, 2));
  StopEvents();
  EXPECT_EQ(StartEvents(), 0);
  EXPECT_TRUE(AllEvents().empty());
  EXPECT_EQ(CountEvents().recorded, 0u);
  RecordNumber(2);
  EXPECT_EQ(NumbersOf(ThreadId()), FromTo(2, 3));
}

TEST_F(EventsTest, OverwrittenEventsAreCounted) {
  for (uint64_t n = 0; n < kCapacity + 10; ++n) RecordNumber(n);
  EXPECT_EQ(NumbersOf(ThreadId()), FromTo(10, kCapacity + 10));
  EXPECT_EQ(CountEvents().recorded, kCapacity + 10);
  EXPECT_EQ(CountEvents().overwritten, 10u);
}

TEST_F(EventsTest, ThreadsRecordWhileOthersRead) {
  constexpr size_t kThreads = 8;
  constexpr uint64_t kEvents = 3 * kCapacity;
  std::atomic<uint32_t> ids[kThreads] = {};
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (std::atomic<uint32_t>& id : ids) {
    threads.emplace_back([&] {
      id = ThreadId();
      for (uint64_t n = 0; n < kEvents; ++n) RecordNumber(n);
      // All live until all are done, so that no two have the same id.
      while (!done) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
  }
  while (CountEvents().recorded < kThreads * kEvents) {
    std::map<uint32_t, AllocationEvent> last;
    for (const AllocationEvent& event : AllEvents()) {
      ASSERT_EQ(reinterpret_cast<uint64_t>(event.address), event.bytes);
      ASSERT_EQ(reinterpret_cast<uint64_t>(event.caller), event.bytes);
      ASSERT_EQ(event.class_bytes, event.bytes);
      if (const auto it = last.find(event.thread); it != last.end()) {
        ASSERT_GT(event.bytes, it->second.bytes);
        ASSERT_GE(event.time_ns, it->second.time_ns);
      }
      last[event.thread] = event;
    }
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  // The threads have ended; their events remain.
  for (const std::atomic<uint32_t>& id : ids) {
    EXPECT_EQ(NumbersOf(id), FromTo(kEvents - kCapacity, kEvents));
  }
  EXPECT_EQ(CountEvents().recorded, kThreads * kEvents);
  EXPECT_EQ(CountEvents().overwritten, kThreads * (kEvents - kCapacity));
  EXPECT_EQ(CountEvents().dropped, 0u);
}

TEST_F(EventsTest, EventsOfThreadsWithoutARingAreCountedAsDropped) {
  constexpr size_t kMore = 20;
  std::atomic<size_t> ready{0};
  std::atomic<bool> done{false};
  RecordNumber(1);  // gives this thread a ring
  std::vector<std::thread> threads;
  for (size_t i = 0; i < EventRings::kCount + kMore; ++i) {
    threads.emplace_back([&] {
      RecordNumber(1);
      ++ready;
      while (!done) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
  }
  while (ready != threads.size()) std::this_thread::yield();
  const EventCounts counts = CountEvents();
  EXPECT_EQ(counts.recorded + counts.dropped, threads.size() + 1);
  EXPECT_EQ(counts.dropped, kMore + 1);
  EXPECT_EQ(AllEvents().size(), EventRings::kCount);
  done = true;
  for (std::thread& thread : threads) thread.join();

  // Once they have ended, others get their rings; each attempt is a new thread.
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::seconds(30);
  bool recorded = false;
  while (!recorded && std::chrono::steady_clock::now() < deadline) {
    const uint64_t before = CountEvents().recorded;
    std::thread([] { RecordNumber(2); }).join();
    recorded = CountEvents().recorded == before + 1;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(recorded);
}

TEST_F(EventsTest, AForkedChildGoesOnWithEventsOfItsOwn) {
  RecordNumber(1);
  std::thread([] { RecordNumber(1); }).join();
  const uint32_t parent = ThreadId();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // The frontend calls this in a fork handler (pthread_atfork).
    BeginEventsInChild();
    const bool empty = AllEvents().empty() && CountEvents().recorded == 0;
    RecordNumber(7);
    const std::vector<AllocationEvent> events = AllEvents();
    const bool right = empty && events.size() == 1 && events[0].bytes == 7 &&
                       events[0].thread == ThreadId() && ThreadId() != parent;
    _exit(right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  // The parent's are unchanged.
  EXPECT_EQ(AllEvents().size(), 2u);
}

}  // namespace
}  // namespace hakmem
