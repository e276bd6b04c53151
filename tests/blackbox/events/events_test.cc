// While events are on, every call of the malloc family and of operators new and
// delete causes exactly one correct event, and nothing else does; in old and
// new threads, in forked children, and from process start on request.
#include <dlfcn.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/events/events_test_helper.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

// The load address of the program that contains `address`; null if none does.
const void* ProgramAt(const void* address) {
  Dl_info info;
  return dladdr(address, &info) == 0 ? nullptr : info.dli_fbase;
}

// Expects that the events of `thread` are `calls`, all of them and in order.
void ExpectEvents(uint32_t thread, const Calls& calls) {
  const std::vector<hakmem_event_t> events = EventsOf(thread);
  ASSERT_EQ(events.size(), calls.size());
  const void* here = ProgramAt(reinterpret_cast<const void*>(&MakeCalls));
  uint64_t last_time = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    SCOPED_TRACE("event " + std::to_string(i));
    const Expected& call = calls.begin()[i];
    EXPECT_EQ(events[i].operation, call.operation);
    EXPECT_EQ(events[i].address, call.address);
    EXPECT_EQ(events[i].size, call.size);
    EXPECT_EQ(events[i].class_bytes, call.class_bytes);
    if (kOptimised) {
      EXPECT_EQ(ProgramAt(events[i].caller), here);
    }
    EXPECT_GE(events[i].time_ns, last_time);
    last_time = events[i].time_ns;
  }
}

TEST(EventsOffTest, WithoutTracingThereAreNone) {
  if (HasTracing()) GTEST_SKIP() << "built with --//tracing=on";
  EXPECT_EQ(Hakmem().events_start(), ENOSYS);
  Calls calls;
  MakeCalls(&calls);
  Hakmem().events_stop();
  EXPECT_TRUE(AllEvents().empty());
  EXPECT_EQ(Counts().recorded, 0u);
  EXPECT_EQ(Counts().dropped, 0u);
  EXPECT_EQ(Hakmem().events_dump(-1), 0);
}

TEST_F(EventsTest, NoneAreRecordedUntilStarted) {
  const ChildResult child = RunChildProgram("never_started", {});
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

int NeverStarted() {
  Calls calls;
  MakeCalls(&calls);
  hakmem_event_counts_t counts;
  Hakmem().event_counts(&counts, sizeof(counts));
  const bool any =
      Hakmem().events([](const hakmem_event_t*, void*) {}, nullptr) != 0;
  return any || counts.recorded != 0 || counts.dropped != 0 ? 1 : 0;
}
const ChildProgram never_started("never_started", NeverStarted);

TEST_F(EventsTest, EveryCallIsOneEvent) {
  Calls calls;
  ASSERT_EQ(Hakmem().events_start(), 0);
  MakeCalls(&calls);
  Hakmem().events_stop();
  ExpectEvents(ThreadId(), calls);
  EXPECT_EQ(Counts().dropped, 0u);
  EXPECT_EQ(Counts().overwritten, 0u);
}

TEST_F(EventsTest, ReallocTellsWhichBlockEndsAndWhichBegins) {
  Calls calls;
  ASSERT_EQ(Hakmem().events_start(), 0);
  MakeReallocCalls(&calls);
  Hakmem().events_stop();
  ExpectEvents(ThreadId(), calls);
}

TEST_F(EventsTest, CallersAreRecorded) {
  if (!kOptimised) GTEST_SKIP() << "the library is not optimised";
  ASSERT_EQ(Hakmem().events_start(), 0);
  void* blocks[3];
  for (int i = 0; i < 2; ++i) blocks[i] = malloc(40);
  blocks[2] = malloc(40);
  Hakmem().events_stop();
  const std::vector<hakmem_event_t> events = EventsOf(ThreadId());
  ASSERT_EQ(events.size(), 3u);
  // A compiler may unroll the loop. It would then duplicate the loop's call
  // before merging it with the last one.
  EXPECT_NE(events[0].caller, events[2].caller);
  EXPECT_NE(events[1].caller, events[2].caller);
  for (void* block : blocks) free(block);
}

TEST_F(EventsTest, NoneAreRecordedAfterTheStop) {
  ASSERT_EQ(Hakmem().events_start(), 0);
  free(malloc(1));
  Hakmem().events_stop();
  const uint64_t before = Counts().recorded;
  EXPECT_GE(before, 2u);
  Calls calls;
  MakeCalls(&calls);
  std::thread([] {
    Calls of_thread;
    MakeCalls(&of_thread);
  }).join();
  EXPECT_EQ(Counts().recorded, before);
}

TEST_F(EventsTest, StartReachesAThreadThatNeverLeavesItsHotPath) {
  std::atomic<bool> started{false};
  std::atomic<uint64_t> rounds{0};
  std::atomic<bool> called{false};
  std::atomic<bool> stopped{false};
  uint32_t thread_id = 0;
  Calls calls;
  std::thread thread([&] {
    thread_id = ThreadId();
    uint64_t last = 0;
    while (last == 0) {
      // Served by the bin, throughout.
      for (int i = 0; i < 100; ++i) free(malloc(64));
      ++rounds;
      if (started) last = rounds;
    }
    for (int i = 0; i < 10; ++i) {
      void* block = calls.Allocated(malloc(64), 64);
      free(calls.Freed(block));
    }
    called = true;
    while (!stopped) sched_yield();
  });
  while (rounds < 100) std::this_thread::yield();
  ASSERT_EQ(Hakmem().events_start(), 0);
  started = true;
  while (!called) sched_yield();
  Hakmem().events_stop();
  stopped = true;
  thread.join();
  // Its last calls, however many came before.
  const std::vector<hakmem_event_t> events = EventsOf(thread_id);
  ASSERT_GE(events.size(), calls.size());
  for (size_t i = 0; i < calls.size(); ++i) {
    const hakmem_event_t& event = events[events.size() - calls.size() + i];
    EXPECT_EQ(event.operation, calls.begin()[i].operation);
    EXPECT_EQ(event.address, calls.begin()[i].address);
  }
}

TEST_F(EventsTest, TwoThreadsHaveTheirEventsEach) {
  constexpr int kThreads = 2;
  std::atomic<int> ready{0};
  std::atomic<bool> started{false};
  std::atomic<bool> done{false};
  std::array<uint32_t, kThreads> ids;
  std::array<Calls, kThreads> calls;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      ids[i] = ThreadId();
      // One thread is warm, the other has no cache yet.
      if (i == 0) {
        Calls before;
        MakeCalls(&before);
      }
      ++ready;
      while (!started) sched_yield();
      MakeCalls(&calls[i]);
      MakeReallocCalls(&calls[i]);
      --ready;
      while (!done) sched_yield();
    });
  }
  while (ready != kThreads) sched_yield();
  ASSERT_EQ(Hakmem().events_start(), 0);
  started = true;
  while (ready != 0) sched_yield();
  Hakmem().events_stop();
  done = true;
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kThreads; ++i) {
    SCOPED_TRACE("thread " + std::to_string(i));
    ExpectEvents(ids[i], calls[i]);
  }
}

TEST_F(EventsTest, ThreadsComeAndGoAndForkWhileTheyAreSwitchedAndRead) {
  std::atomic<bool> done{false};
  std::thread switcher([&] {
    while (!done) {
      ASSERT_EQ(Hakmem().events_start(), 0);
      for (const hakmem_event_t& event : AllEvents()) {
        ASSERT_LE(event.operation, HAKMEM_OPERATION_REALLOC);
        ASSERT_GE(event.class_bytes, event.size);
        ASSERT_NE(event.address, nullptr);
      }
      Hakmem().events_stop();
    }
  });
  for (int round = 0; round < 50; ++round) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([] {
        Calls calls;
        MakeCalls(&calls);
        for (int j = 0; j < 10000; ++j) free(malloc(64));
      });
    }
    const ChildResult child = RunForked([] {
      Calls calls;
      MakeCalls(&calls);
    });
    EXPECT_EQ(child.exit_code, 0) << child.err;
    for (std::thread& thread : threads) thread.join();
  }
  done = true;
  switcher.join();
}

TEST_F(EventsTest, AForkedChildRecordsItsOwnEvents) {
  ASSERT_EQ(Hakmem().events_start(), 0);
  free(malloc(100));
  const uint32_t parent = ThreadId();
  const ChildResult child = RunForked([parent] {
    Calls calls;
    const size_t inherited =
        Hakmem().events([](const hakmem_event_t*, void*) {}, nullptr);
    MakeCalls(&calls);
    Hakmem().events_stop();
    EXPECT_EQ(inherited, 0u);
    EXPECT_TRUE(EventsOf(parent).empty());
    ExpectEvents(ThreadId(), calls);
    // Threads of the child too.
    ASSERT_EQ(Hakmem().events_start(), 0);
    Calls calls_of_thread;
    uint32_t thread_id = 0;
    std::thread([&] {
      thread_id = ThreadId();
      MakeCalls(&calls_of_thread);
    }).join();
    Hakmem().events_stop();
    EXPECT_GE(EventsOf(thread_id).size(), calls_of_thread.size());
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
  // The parent's are still there.
  Hakmem().events_stop();
  EXPECT_GE(EventsOf(parent).size(), 2u);
}

// --- From the start of the process -------------------------------------------

void* volatile before_main = malloc(12345);

int StartedByOption() {
  struct Found {
    bool allocated = false;
  } found;
  Hakmem().events(
      [](const hakmem_event_t* event, void* to) {
        if (event->address == before_main && event->size == 12345 &&
            event->operation == HAKMEM_OPERATION_MALLOC) {
          static_cast<Found*>(to)->allocated = true;
        }
      },
      &found);
  return found.allocated ? 0 : 1;
}
const ChildProgram started_by_option("started_by_option", StartedByOption);

TEST_F(EventsTest, AnOptionRecordsFromTheStartOfTheProcess) {
  const ChildResult child =
      RunChildProgram("started_by_option", {{"HAKMEM_EVENTS", "1"}});
  EXPECT_EQ(child.exit_code, 0) << child.err;
  EXPECT_EQ(child.err, "");
  EXPECT_EQ(RunChildProgram("started_by_option", {}).exit_code, 1);
}

TEST(EventsOffTest, TheIgnoredOptionIsReported) {
  if (HasTracing()) GTEST_SKIP() << "built with --//tracing=on";
  const ChildResult child =
      RunChildProgram("started_by_option", {{"HAKMEM_EVENTS", "1"}});
  EXPECT_EQ(child.exit_code, 1);
  EXPECT_NE(child.err.find("HAKMEM_EVENTS is ignored"), std::string::npos)
      << child.err;
}

TEST_F(EventsTest, AShorterStructOfCountsIsFilledAsFarAsItGoes) {
  hakmem_event_counts_t counts;
  counts.dropped = 77;
  const size_t size = offsetof(hakmem_event_counts_t, dropped);
  EXPECT_EQ(Hakmem().event_counts(&counts, size), size);
  EXPECT_EQ(counts.dropped, 77u);
}

}  // namespace
}  // namespace hakmem_test
