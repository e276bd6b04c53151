#include "tracing/failures/failure.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/os/signal_stack_test_helper.h"
#include "base/text/options.h"
#include "tracing/failures/failure_record.h"

namespace hakmem {
namespace {

int hook_calls;
Cause hook_cause;

// A request that a process can never have: found without a look at the system.
constexpr uint64_t kTooMuch = uint64_t{1} << 60;

void Fail() {
  NoteThreshold();
  RecordFailure({.entry = EntryPoint::kMalloc,
                 .bytes = size_t{1} << 63,
                 .error = ENOMEM});
}

FailureRecord Last() {
  FailureRecord record = {};
  EXPECT_TRUE(LastFailure(&record));
  return record;
}

class FailureTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!kTracing) GTEST_SKIP() << "built with tracing off";
  }
};

TEST_F(FailureTest, ARecordHoldsTheNoteAndTheRequest) {
  const uint64_t before = FailuresOf(Cause::kExhaustion);
  NoteExhaustion(60, 4, 64);
  errno = 77;
  RecordFailure({.entry = EntryPoint::kCalloc,
                 .layer = Layer::kAce,
                 .bytes = 1000,
                 .alignment = 32,
                 .class_bytes = 1024,
                 .live = 1,
                 .cached = 2,
                 .error = ENOMEM});
  EXPECT_EQ(errno, 77);
  const FailureRecord record = Last();
  EXPECT_EQ(record.entry, EntryPoint::kCalloc);
  EXPECT_EQ(record.layer, Layer::kAce);
  EXPECT_EQ(record.cause, Cause::kExhaustion);
  EXPECT_EQ(record.subcause, SubCause::kNone);
  EXPECT_EQ(record.bytes, 1000u);
  EXPECT_EQ(record.alignment, 32u);
  EXPECT_EQ(record.class_bytes, 1024u);
  EXPECT_EQ(record.live, 60u);  // of the pool whose limit it is
  EXPECT_EQ(record.cached, 4u);
  EXPECT_EQ(record.limit, 64u);
  EXPECT_EQ(record.error, ENOMEM);
  EXPECT_EQ(record.thread, static_cast<uint32_t>(gettid()));
  const auto now = static_cast<uint64_t>(time(nullptr)) * 1'000'000'000;
  EXPECT_NEAR(static_cast<double>(record.time_ns), static_cast<double>(now),
              60e9);
  EXPECT_EQ(FailuresOf(Cause::kExhaustion), before + 1);
}

TEST_F(FailureTest, ARefusalIsDiagnosed) {
  NoteMapFail(OsRequest::kMapLarge, ENOMEM, kTooMuch);
  RecordFailure({.entry = EntryPoint::kMalloc,
                 .layer = Layer::kLarge,
                 .bytes = kTooMuch,
                 .live = 5,
                 .error = ENOMEM});
  const FailureRecord record = Last();
  EXPECT_EQ(record.cause, Cause::kMapFail);
  EXPECT_EQ(record.subcause, SubCause::kAddressBits);
  EXPECT_EQ(record.os_request, OsRequest::kMapLarge);
  EXPECT_EQ(record.os_bytes, kTooMuch);
  EXPECT_EQ(record.evidence_used, kTooMuch);
  EXPECT_TRUE(std::has_single_bit(record.evidence_limit));
  EXPECT_EQ(record.live, 5u);
}

// Its data segment may be no larger than it is.
class DataLimit {
 public:
  DataLimit() {
    getrlimit(RLIMIT_DATA, &before_);
    rlimit tight = before_;
    tight.rlim_cur = 1 << 20;
    setrlimit(RLIMIT_DATA, &tight);
  }
  ~DataLimit() { setrlimit(RLIMIT_DATA, &before_); }
  DataLimit(const DataLimit&) = delete;
  DataLimit& operator=(const DataLimit&) = delete;

 private:
  rlimit before_;
};

TEST_F(FailureTest, TheEvidenceIsLookedUpByTheFirstWhoReads) {
  const auto refuse = [] {
    NoteMapFail(OsRequest::kMapLarge, ENOMEM, 2 << 20);
    RecordFailure(
        {.entry = EntryPoint::kMalloc, .bytes = 2 << 20, .error = ENOMEM});
  };
  refuse();
  {
    DataLimit limit;
    EXPECT_EQ(Last().subcause, SubCause::kDataSegment);
  }
  EXPECT_EQ(Last().subcause, SubCause::kDataSegment);  // kept
  EXPECT_EQ(Last().evidence_limit, 1u << 20);
  {
    DataLimit limit;
    refuse();
  }
  EXPECT_NE(Last().subcause, SubCause::kDataSegment);
}

TEST_F(FailureTest, TheHookIsGivenTheEvidence) {
  static SubCause seen;
  SetFailureHook([](const FailureRecord& record) { seen = record.subcause; });
  {
    DataLimit limit;
    NoteMapFail(OsRequest::kMapLarge, ENOMEM, 2 << 20);
    RecordFailure(
        {.entry = EntryPoint::kMalloc, .bytes = 2 << 20, .error = ENOMEM});
  }
  SetFailureHook(nullptr);
  EXPECT_EQ(seen, SubCause::kDataSegment);
  EXPECT_EQ(Last().subcause, SubCause::kDataSegment);
}

TEST_F(FailureTest, TheSameRefusalIsToldFromTheSameEvidenceForAWhile) {
  static FailureRecord seen;
  SetFailureHook([](const FailureRecord& record) { seen = record; });
  const auto refuse = [](size_t bytes) {
    NoteMapFail(OsRequest::kMapLarge, ENOMEM, bytes);
    RecordFailure(
        {.entry = EntryPoint::kMalloc, .bytes = bytes, .error = ENOMEM});
    return seen.subcause;
  };
  {
    DataLimit limit;
    EXPECT_EQ(refuse(3 << 20), SubCause::kDataSegment);
  }
  EXPECT_EQ(refuse(3 << 20), SubCause::kDataSegment);
  EXPECT_EQ(seen.evidence_limit, 1u << 20);
  // Another one is not the same.
  EXPECT_NE(refuse(4 << 20), SubCause::kDataSegment);
  {
    DataLimit limit;
    EXPECT_EQ(refuse(3 << 20), SubCause::kDataSegment);
  }
  usleep(150'000);
  EXPECT_NE(refuse(3 << 20), SubCause::kDataSegment);
  SetFailureHook(nullptr);
}

TEST_F(FailureTest, TheErrnoOfARefusalIsTheSystems) {
  NoteMapFail(OsRequest::kCommit, EPERM, 4096);
  RecordFailure({.entry = EntryPoint::kMalloc, .bytes = 1, .error = ENOMEM});
  EXPECT_EQ(Last().error, EPERM);
  EXPECT_EQ(Last().subcause, SubCause::kUnknown);
}

TEST_F(FailureTest, ANoteIsUsedOnce) {
  NoteExhaustion(1, 2, 3);
  RecordFailure({.entry = EntryPoint::kMalloc, .bytes = 1, .error = ENOMEM});
  RecordFailure({.entry = EntryPoint::kMalloc, .bytes = 1, .error = ENOMEM});
  EXPECT_EQ(Last().cause, Cause::kNone);
  EXPECT_EQ(Last().limit, 0u);
}

TEST_F(FailureTest, TheImpossibleNeedsNoNote) {
  RecordFailure(
      {.entry = EntryPoint::kCalloc, .bytes = SIZE_MAX, .error = ENOMEM});
  EXPECT_EQ(Last().cause, Cause::kThreshold);
  RecordFailure({.entry = EntryPoint::kPosixMemalign,
                 .bytes = 1,
                 .alignment = 3,
                 .error = EINVAL});
  EXPECT_EQ(Last().cause, Cause::kThreshold);
}

TEST_F(FailureTest, ThreadsFailAtOnceAndAllAreCounted) {
  const uint64_t before = FailuresOf(Cause::kThreshold);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 1000; ++i) Fail();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(FailuresOf(Cause::kThreshold), before + 4000);
  EXPECT_GT(FailuresForgotten(), 0u);
  std::vector<uint64_t> sequences;
  const size_t count = ForEachFailure(
      [](const FailureRecord& record, void* argument) {
        static_cast<std::vector<uint64_t>*>(argument)->push_back(
            record.sequence);
      },
      &sequences);
  EXPECT_EQ(count, sequences.size());
  EXPECT_GT(count, 100u);
  EXPECT_TRUE(std::is_sorted(sequences.begin(), sequences.end()));
}

TEST_F(FailureTest, AFailureInsideTheHookIsKeptButNotHooked) {
  hook_calls = 0;
  SetFailureHook([](const FailureRecord& record) {
    ++hook_calls;
    hook_cause = record.cause;
    errno = 99;
    NoteMapFail(OsRequest::kMapLarge, ENOMEM, kTooMuch);
    RecordFailure(
        {.entry = EntryPoint::kRealloc, .bytes = kTooMuch, .error = ENOMEM});
  });
  errno = 5;
  Fail();
  EXPECT_EQ(errno, 5);
  EXPECT_EQ(hook_calls, 1);
  EXPECT_EQ(hook_cause, Cause::kThreshold);
  EXPECT_EQ(Last().entry, EntryPoint::kRealloc);
  EXPECT_EQ(Last().subcause, SubCause::kAddressBits);  // looked up now
  Fail();
  EXPECT_EQ(hook_calls, 2);
  SetFailureHook(nullptr);
  Fail();
  EXPECT_EQ(hook_calls, 2);
}

constinit std::atomic<int> handled{0};

TEST_F(FailureTest, AHandlerMayFailWhileItsThreadFails) {
  struct sigaction action = {};
  action.sa_handler = [](int) {
    const int saved_errno = errno;
    Fail();
    ++handled;
    errno = saved_errno;
  };
  ASSERT_EQ(sigaction(SIGALRM, &action, nullptr), 0);
  const uint64_t before = FailuresOf(Cause::kThreshold) +
                          FailuresOf(Cause::kMapFail) +
                          FailuresOf(Cause::kNone);
  const itimerval every = {{0, 100}, {0, 100}};
  ASSERT_EQ(setitimer(ITIMER_REAL, &every, nullptr), 0);
  uint64_t failed = 0;
  for (; handled < 300; ++failed) {
    NoteMapFail(OsRequest::kMapLarge, ENOMEM, kTooMuch);
    RecordFailure(
        {.entry = EntryPoint::kMalloc, .bytes = kTooMuch, .error = ENOMEM});
  }
  const itimerval never = {};
  setitimer(ITIMER_REAL, &never, nullptr);
  signal(SIGALRM, SIG_IGN);
  EXPECT_EQ(FailuresOf(Cause::kThreshold) + FailuresOf(Cause::kMapFail) +
                FailuresOf(Cause::kNone),
            before + failed + static_cast<uint64_t>(handled));
}

// What a handler read of its failure.
constinit std::atomic<SubCause> read_in_handler{SubCause::kNone};

void FailInHandler(int) {
  NoteMapFail(OsRequest::kMapLarge, ENOMEM, kTooMuch);
  RecordFailure(
      {.entry = EntryPoint::kValloc, .bytes = kTooMuch, .error = ENOMEM});
  FailureRecord record = {};
  if (LastFailure(&record)) read_in_handler = record.subcause;
}

// Fails in a signal handler that has `left` bytes of stack.
void FailInAHandlerWith(size_t left) {
  const hakmem_test::SmallSignalStack stack(left);
  struct sigaction action = {};
  action.sa_flags = SA_ONSTACK;
  action.sa_handler = FailInHandler;
  ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
  raise(SIGUSR1);
}

TEST_F(FailureTest, AHandlerOnATinyStackLeavesARecord) {
  hook_calls = 0;
  SetFailureHook([](const FailureRecord&) { ++hook_calls; });
  FailInAHandlerWith(4096);
  SetFailureHook(nullptr);
  EXPECT_EQ(hook_calls, 0);
  EXPECT_EQ(read_in_handler, SubCause::kNotLookedUp);
  EXPECT_EQ(Last().entry, EntryPoint::kValloc);
  EXPECT_EQ(Last().subcause, SubCause::kAddressBits);
}

TEST_F(FailureTest, AHandlerOnASmallStackIsDiagnosed) {
  // Little more than the bound below which nothing is looked for: it suffices.
  FailInAHandlerWith(8192 + 512);
  EXPECT_EQ(Last().entry, EntryPoint::kValloc);
  EXPECT_EQ(read_in_handler, SubCause::kAddressBits);
}

TEST_F(FailureTest, AForkedChildRecordsAndSeesItsParents) {
  Fail();
  const uint64_t sequence = Last().sequence;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    FailureRecord record = {};
    if (!LastFailure(&record) || record.sequence != sequence) _exit(1);
    Fail();
    if (!LastFailure(&record) || record.sequence <= sequence) _exit(2);
    _exit(record.thread == static_cast<uint32_t>(getpid()) ? 0 : 3);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(Last().sequence, sequence);
}

// The options are read once a process: what is printed is seen from a child.
void TraceTo(const char* variable_value, int failures, bool stack = false) {
  setenv("HAKMEM_ACE_TRACE", variable_value, 1);
  if (stack) setenv("HAKMEM_ACE_TRACE_STACK", "1", 1);
  options::Read();
  for (int i = 0; i < failures; ++i) Fail();
  PrintFailuresLeftOut();
  exit(0);
}

using FailureDeathTest = FailureTest;

TEST_F(FailureDeathTest, AHandlerOnASmallStackPrintsLineAndStack) {
  EXPECT_EXIT(
      {
        setenv("HAKMEM_ACE_TRACE", "1", 1);
        setenv("HAKMEM_ACE_TRACE_STACK", "1", 1);
        options::Read();
        FailInAHandlerWith(8192 + 512);
        exit(0);
      },
      testing::ExitedWithCode(0), "valloc(.|\n)*#0 0x");
}

TEST_F(FailureDeathTest, IsPrintedWhenAskedFor) {
  EXPECT_EXIT(
      TraceTo("1", 1), testing::ExitedWithCode(0),
      "^hakmem\\[[0-9]+\\]: failure [0-9]+, thread [0-9]+: malloc of 8 EiB: "
      "Threshold in frontend, ENOMEM: a request of 9223372036854775808 "
      "bytes can never be served: PTRDIFF_MAX is "
      "9223372036854775807\n$");
  EXPECT_EXIT(TraceTo("0", 1), testing::ExitedWithCode(0), "^$");
}

TEST_F(FailureDeathTest, LinesAreLimitedAndTheRestIsCounted) {
  // 10 lines, or some more if the second happens to end meanwhile.
  EXPECT_EXIT(TraceTo("1", 100), testing::ExitedWithCode(0),
              "^(hakmem[^\n]*failure [^\n]*\n){10,30}"
              "hakmem[^\n]*: [0-9]+ more failures were not printed\n$");
}

TEST_F(FailureDeathTest, TheNextLineTellsHowManyWereLeftOut) {
  const auto body = [] {
    setenv("HAKMEM_ACE_TRACE", "1", 1);
    options::Read();
    for (int i = 0; i < 100; ++i) Fail();
    usleep(1'100'000);
    Fail();
    exit(0);
  };
  EXPECT_EXIT(body(), testing::ExitedWithCode(0),
              "\nhakmem[^\n]*: \\([0-9]+ more were not printed\\) failure ");
}

TEST_F(FailureDeathTest, TheStackIsAddedWhenAskedFor) {
  EXPECT_EXIT(TraceTo("1", 1, true), testing::ExitedWithCode(0),
              "^hakmem\\[[0-9]+\\]: failure [^\n]*\nhakmem[^\n]*:   #0 0x");
}

TEST_F(FailureDeathTest, AClosedStderrIsHarmless) {
  EXPECT_EXIT(
      {
        close(STDERR_FILENO);
        TraceTo("1", 50, true);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace hakmem
