// events_test.cc: while events are on, every call of the malloc family and of
// operators new and delete is one event that tells the truth, and nothing else
// is; in threads old and new, in forked children, and from the start of a
// process on request.
#include <dlfcn.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "frontend/block_test_helper.h"
#include "frontend/preload_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem_test {
namespace {

uint32_t ThreadId() { return static_cast<uint32_t>(syscall(SYS_gettid)); }

// The library's own word for how it was built.
bool IsTraced() { return LibraryPath().find("notrace") == std::string::npos; }

// What an event should tell, besides time and caller.
struct Expected {
  hakmem_operation_t operation;
  const void* address;
  size_t size;
  size_t class_bytes;
};

// The calls that this very thread made, in order. Keeps them without
// allocating, so that it makes no events of its own.
class Calls {
 public:
  void* Allocated(void* block, size_t size) {
    Add(HAKMEM_OPERATION_MALLOC, block, size);
    return block;
  }
  void* Reallocated(void* block, size_t size) {
    Add(HAKMEM_OPERATION_REALLOC, block, size);
    return block;
  }
  // Before it is freed.
  void* Freed(void* block) {
    Add(HAKMEM_OPERATION_FREE, block, 0);
    return block;
  }

  const Expected* begin() const { return calls_.data(); }
  const Expected* end() const { return calls_.data() + count_; }
  size_t size() const { return count_; }

 private:
  void Add(hakmem_operation_t operation, void* block, size_t size) {
    if (block == nullptr || count_ == calls_.size()) abort();
    calls_[count_++] = {operation, block, size,
                        Hakmem().malloc_usable_size(block)};
  }

  std::array<Expected, 256> calls_;
  size_t count_ = 0;
};

// Calls of every kind, with tiny, mid and large sizes.
void MakeCalls(Calls* calls) {
  for (const size_t size :
       {size_t{1}, size_t{24}, size_t{1000}, 5 * kKiB, 100 * kKiB, 5 * kMiB}) {
    // From bins, if there are any: the same size again and again.
    for (int i = 0; i < 3; ++i) {
      void* block = calls->Allocated(malloc(size), size);
      free(calls->Freed(block));
    }
    void* zeroed = calls->Allocated(calloc(3, size), 3 * size);
    void* aligned = calls->Allocated(aligned_alloc(256, size), size);
    void* created = calls->Allocated(::operator new(size), size);
    void* created_aligned =
        calls->Allocated(::operator new[](size, std::align_val_t{64}), size);
    free(calls->Freed(zeroed));
    ::operator delete(calls->Freed(created), size);
    ::operator delete[](calls->Freed(created_aligned), std::align_val_t{64});
    free(calls->Freed(aligned));
    void* own = calls->Allocated(Hakmem().malloc(size), size);
    Hakmem().free(calls->Freed(own));
  }
}

// Growing and shrinking, in place and by moving; null and nothing too.
void MakeReallocCalls(Calls* calls) {
  void* block = calls->Allocated(realloc(nullptr, 10), 10);
  for (const size_t size : {size_t{12}, size_t{500}, 20 * kKiB, 24 * kKiB,
                            3 * kMiB, 50 * kMiB, 4 * kMiB, size_t{100}}) {
    block = calls->Reallocated(realloc(calls->Freed(block), size), size);
  }
  block = calls->Reallocated(reallocarray(calls->Freed(block), 30, 10), 300);
  volatile size_t impossible = SIZE_MAX / 2 + 1;
  if (realloc(calls->Freed(block), impossible) != nullptr) abort();
  calls->Reallocated(block, Hakmem().malloc_usable_size(block));
  // Frees.
  void* none = realloc(calls->Freed(block), 0);
  if (none != nullptr) abort();
  free(nullptr);
  // Fails: no event.
  if (malloc(impossible) != nullptr) abort();
}

std::vector<hakmem_event_t> AllEvents() {
  std::vector<hakmem_event_t> all;
  const size_t visited = Hakmem().events(
      [](const hakmem_event_t* event, void* to) {
        static_cast<std::vector<hakmem_event_t>*>(to)->push_back(*event);
      },
      &all);
  EXPECT_EQ(visited, all.size());
  return all;
}

std::vector<hakmem_event_t> EventsOf(uint32_t thread) {
  std::vector<hakmem_event_t> events;
  for (const hakmem_event_t& event : AllEvents()) {
    if (event.thread == thread) events.push_back(event);
  }
  return events;
}

hakmem_event_counts_t Counts() {
  hakmem_event_counts_t counts;
  EXPECT_EQ(Hakmem().event_counts(&counts, sizeof(counts)), sizeof(counts));
  return counts;
}

// Where the program that holds `address` was loaded; null when none does.
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

class EventsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!IsTraced()) GTEST_SKIP() << "built with --//tracing=off";
    Hakmem();
    Hakmem().events_stop();
    // What is recorded from here on is forgotten by the next start.
  }
  void TearDown() override { Hakmem().events_stop(); }
};

TEST(EventsOffTest, WithoutTracingThereAreNone) {
  if (IsTraced()) GTEST_SKIP() << "built with --//tracing=on";
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

TEST_F(EventsTest, CallersAreTold) {
  if (!kOptimised) GTEST_SKIP() << "the library is not optimised";
  ASSERT_EQ(Hakmem().events_start(), 0);
  void* blocks[3];
  for (int i = 0; i < 2; ++i) blocks[i] = malloc(40);
  blocks[2] = malloc(40);
  Hakmem().events_stop();
  const std::vector<hakmem_event_t> events = EventsOf(ThreadId());
  ASSERT_EQ(events.size(), 3u);
  // A compiler may unroll the loop, but makes one call of it and the last no
  // sooner than it makes two of the loop's.
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
      // Served by the bin, from start to end.
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
      // One is warm, the other has no cache yet.
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

TEST(EventsOffTest, TheOptionIsToldToBeIgnored) {
  if (IsTraced()) GTEST_SKIP() << "built with --//tracing=on";
  const ChildResult child =
      RunChildProgram("started_by_option", {{"HAKMEM_EVENTS", "1"}});
  EXPECT_EQ(child.exit_code, 1);
  EXPECT_NE(child.err.find("HAKMEM_EVENTS is ignored"), std::string::npos)
      << child.err;
}

// --- As text -----------------------------------------------------------------

class MemoryFile {
 public:
  MemoryFile() : file_(memfd_create("events", MFD_CLOEXEC)) {}
  ~MemoryFile() { close(file_); }

  int descriptor() const { return file_; }

  std::string Text() const {
    std::string text(static_cast<size_t>(lseek(file_, 0, SEEK_END)), '?');
    EXPECT_EQ(pread(file_, text.data(), text.size(), 0),
              static_cast<ssize_t>(text.size()));
    return text;
  }

 private:
  const int file_;
};

std::string LineOf(const hakmem_event_t& event) {
  static const char* const kNames[] = {"malloc", "free", "realloc"};
  char line[200];
  snprintf(line, sizeof(line), "%llu %u %s %p %zu %zu %p\n",
           static_cast<unsigned long long>(event.time_ns), event.thread,
           kNames[event.operation], event.address, event.size,
           event.class_bytes, event.caller);
  return line;
}

std::string LinesOfAllEvents() {
  std::string lines;
  for (const hakmem_event_t& event : AllEvents()) lines += LineOf(event);
  return lines;
}

TEST_F(EventsTest, TheDumpIsOneLineForEachEvent) {
  MemoryFile file;
  Calls calls;
  ASSERT_EQ(Hakmem().events_start(), 0);
  MakeCalls(&calls);
  MakeReallocCalls(&calls);
  const uint64_t before = Counts().recorded;
  EXPECT_EQ(Hakmem().events_dump(file.descriptor()), 0);
  // It allocated nothing.
  EXPECT_EQ(Counts().recorded, before);
  Hakmem().events_stop();
  EXPECT_EQ(file.Text(), LinesOfAllEvents());
}

TEST_F(EventsTest, ASignalHandlerCanDump) {
  static int descriptor;
  static int result;
  MemoryFile file;
  descriptor = file.descriptor();
  ASSERT_EQ(Hakmem().events_start(), 0);
  Calls calls;
  MakeCalls(&calls);
  Hakmem().events_stop();
  void (*before)(int) =
      signal(SIGUSR1, [](int) { result = Hakmem().events_dump(descriptor); });
  errno = 77;
  raise(SIGUSR1);
  EXPECT_EQ(errno, 77);
  signal(SIGUSR1, before);
  EXPECT_EQ(result, 0);
  EXPECT_EQ(file.Text(), LinesOfAllEvents());
}

TEST_F(EventsTest, ADumpThatCannotBeWrittenTellsWhy) {
  ASSERT_EQ(Hakmem().events_start(), 0);
  free(malloc(1));
  errno = 77;
  EXPECT_EQ(Hakmem().events_dump(-1), EBADF);
  EXPECT_EQ(errno, 77);
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
