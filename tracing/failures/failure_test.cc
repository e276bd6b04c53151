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

namespace hakmem {
namespace {

hakmem_failure_t Request(hakmem_failure_entry_t entry, size_t size) {
  hakmem_failure_t request = {};
  request.entry = entry;
  request.error = ENOMEM;
  request.size = size;
  return request;
}

void Record(hakmem_failure_t request) { RecordFailure(&request); }

int hook_calls;
hakmem_failure_cause_t hook_cause;

// A request that no process can serve: recognised without looking at the
// system.
constexpr uint64_t kTooMuch = uint64_t{1} << 60;

void Fail() {
  RecordImpossible(HAKMEM_ENTRY_MALLOC, size_t{1} << 63, 0, ENOMEM);
}

hakmem_failure_t Last() {
  hakmem_failure_t record = {};
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
  const uint64_t before = FailuresOf(HAKMEM_CAUSE_EXHAUSTION);
  NoteExhaustion(60, 4, 64);
  errno = 77;
  hakmem_failure_t request = Request(HAKMEM_ENTRY_CALLOC, 1000);
  request.layer = HAKMEM_LAYER_ACE;
  request.alignment = 32;
  request.class_bytes = 1024;
  request.live_bytes = 1;
  request.cached_bytes = 2;
  Record(request);
  EXPECT_EQ(errno, 77);
  const hakmem_failure_t record = Last();
  EXPECT_EQ(record.entry, HAKMEM_ENTRY_CALLOC);
  EXPECT_EQ(record.layer, HAKMEM_LAYER_ACE);
  EXPECT_EQ(record.cause, HAKMEM_CAUSE_EXHAUSTION);
  EXPECT_EQ(record.subcause, HAKMEM_SUBCAUSE_NONE);
  EXPECT_EQ(record.size, 1000u);
  EXPECT_EQ(record.alignment, 32u);
  EXPECT_EQ(record.class_bytes, 1024u);
  EXPECT_EQ(record.live_bytes, 60u);  // of the pool at its limit
  EXPECT_EQ(record.cached_bytes, 4u);
  EXPECT_EQ(record.limit_bytes, 64u);
  EXPECT_EQ(record.error, ENOMEM);
  EXPECT_EQ(record.thread, static_cast<uint32_t>(gettid()));
  const auto now = static_cast<uint64_t>(time(nullptr)) * 1'000'000'000;
  EXPECT_NEAR(static_cast<double>(record.time_ns), static_cast<double>(now),
              60e9);
  EXPECT_EQ(FailuresOf(HAKMEM_CAUSE_EXHAUSTION), before + 1);
}

TEST_F(FailureTest, ARefusalIsDiagnosed) {
  NoteMapFail(HAKMEM_OS_REQUEST_MAP_LARGE, ENOMEM, kTooMuch);
  hakmem_failure_t request = Request(HAKMEM_ENTRY_MALLOC, kTooMuch);
  request.layer = HAKMEM_LAYER_LARGE;
  request.live_bytes = 5;
  Record(request);
  const hakmem_failure_t record = Last();
  EXPECT_EQ(record.cause, HAKMEM_CAUSE_MAPFAIL);
  EXPECT_EQ(record.subcause, HAKMEM_SUBCAUSE_ADDRESS_SPACE);
  EXPECT_EQ(record.os_request, HAKMEM_OS_REQUEST_MAP_LARGE);
  EXPECT_EQ(record.os_bytes, kTooMuch);
  EXPECT_EQ(record.evidence_used, kTooMuch);
  EXPECT_TRUE(std::has_single_bit(record.evidence_limit));
  EXPECT_EQ(record.live_bytes, 5u);
}

// Limits the data segment to its current size.
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
    NoteMapFail(HAKMEM_OS_REQUEST_MAP_LARGE, ENOMEM, 2 << 20);
    Record(Request(HAKMEM_ENTRY_MALLOC, 2 << 20));
  };
  refuse();
  {
    DataLimit limit;
    EXPECT_EQ(Last().subcause, HAKMEM_SUBCAUSE_RLIMIT_DATA);
  }
  EXPECT_EQ(Last().subcause, HAKMEM_SUBCAUSE_RLIMIT_DATA);  // cached
  EXPECT_EQ(Last().evidence_limit, 1u << 20);
  {
    DataLimit limit;
    refuse();
  }
  EXPECT_NE(Last().subcause, HAKMEM_SUBCAUSE_RLIMIT_DATA);
}

TEST_F(FailureTest, TheHookIsGivenTheEvidence) {
  static hakmem_failure_subcause_t seen;
  SetFailureHook(
      [](const hakmem_failure_t& record) { seen = record.subcause; });
  {
    DataLimit limit;
    NoteMapFail(HAKMEM_OS_REQUEST_MAP_LARGE, ENOMEM, 2 << 20);
    Record(Request(HAKMEM_ENTRY_MALLOC, 2 << 20));
  }
  SetFailureHook(nullptr);
  EXPECT_EQ(seen, HAKMEM_SUBCAUSE_RLIMIT_DATA);
  EXPECT_EQ(Last().subcause, HAKMEM_SUBCAUSE_RLIMIT_DATA);
}

TEST_F(FailureTest, TheSameRefusalIsToldFromTheSameEvidenceForAWhile) {
  static hakmem_failure_t seen;
  SetFailureHook([](const hakmem_failure_t& record) { seen = record; });
  const auto refuse = [](size_t bytes) {
    NoteMapFail(HAKMEM_OS_REQUEST_MAP_LARGE, ENOMEM, bytes);
    Record(Request(HAKMEM_ENTRY_MALLOC, bytes));
    return seen.subcause;
  };
  {
    DataLimit limit;
    EXPECT_EQ(refuse(3 << 20), HAKMEM_SUBCAUSE_RLIMIT_DATA);
  }
  EXPECT_EQ(refuse(3 << 20), HAKMEM_SUBCAUSE_RLIMIT_DATA);
  EXPECT_EQ(seen.evidence_limit, 1u << 20);
  // A different refusal is not the same.
  EXPECT_NE(refuse(4 << 20), HAKMEM_SUBCAUSE_RLIMIT_DATA);
  {
    DataLimit limit;
    EXPECT_EQ(refuse(3 << 20), HAKMEM_SUBCAUSE_RLIMIT_DATA);
  }
  usleep(150'000);
  EXPECT_NE(refuse(3 << 20), HAKMEM_SUBCAUSE_RLIMIT_DATA);
  SetFailureHook(nullptr);
}

TEST_F(FailureTest, TheErrnoOfARefusalIsTheSystems) {
  NoteMapFail(HAKMEM_OS_REQUEST_COMMIT, EPERM, 4096);
  Record(Request(HAKMEM_ENTRY_MALLOC, 1));
  EXPECT_EQ(Last().error, EPERM);
  EXPECT_EQ(Last().subcause, HAKMEM_SUBCAUSE_UNKNOWN);
}

TEST_F(FailureTest, ANoteIsUsedOnce) {
  NoteExhaustion(1, 2, 3);
  Record(Request(HAKMEM_ENTRY_MALLOC, 1));
  Record(Request(HAKMEM_ENTRY_MALLOC, 1));
  EXPECT_EQ(Last().cause, HAKMEM_CAUSE_NONE);
  EXPECT_EQ(Last().limit_bytes, 0u);
}

TEST_F(FailureTest, TheImpossibleNeedsNoNote) {
  RecordImpossible(HAKMEM_ENTRY_CALLOC, SIZE_MAX, 0, ENOMEM);
  EXPECT_EQ(Last().cause, HAKMEM_CAUSE_THRESHOLD);
  RecordImpossible(HAKMEM_ENTRY_POSIX_MEMALIGN, 1, 3, EINVAL);
  EXPECT_EQ(Last().cause, HAKMEM_CAUSE_THRESHOLD);
}

TEST_F(FailureTest, AnImpossibleRequestIsKeptWhole) {
  NoteExhaustion(1, 2, 3);  // for a request that was served in the end
  errno = 77;
  RecordImpossible(HAKMEM_ENTRY_ALIGNED_ALLOC, size_t{5} << 60, 3, EINVAL);
  EXPECT_EQ(errno, 77);
  const hakmem_failure_t failure = Last();
  EXPECT_EQ(failure.struct_size, sizeof(failure));
  EXPECT_EQ(failure.thread, static_cast<uint32_t>(gettid()));
  EXPECT_EQ(failure.time_ns, 0u);  // not watched
  EXPECT_EQ(failure.entry, HAKMEM_ENTRY_ALIGNED_ALLOC);
  EXPECT_EQ(failure.layer, HAKMEM_LAYER_FRONTEND);
  EXPECT_EQ(failure.cause, HAKMEM_CAUSE_THRESHOLD);
  EXPECT_EQ(failure.subcause, HAKMEM_SUBCAUSE_NONE);
  EXPECT_EQ(failure.os_request, HAKMEM_OS_REQUEST_NONE);
  EXPECT_EQ(failure.error, EINVAL);
  EXPECT_EQ(failure.size, size_t{5} << 60);
  EXPECT_EQ(failure.alignment, 3u);
  EXPECT_EQ(failure.class_bytes, 0u);
  EXPECT_EQ(failure.live_bytes, 0u);
  EXPECT_EQ(failure.cached_bytes, 0u);
  EXPECT_EQ(failure.limit_bytes, 0u);
  EXPECT_EQ(failure.os_bytes, 0u);
  EXPECT_EQ(failure.evidence_used, 0u);
  EXPECT_EQ(failure.evidence_limit, 0u);
}

TEST_F(FailureTest, AWatchedImpossibleRequestHasItsTime) {
  static hakmem_failure_t seen;
  SetFailureHook([](const hakmem_failure_t& failure) { seen = failure; });
  Fail();
  SetFailureHook(nullptr);
  const auto now = static_cast<uint64_t>(time(nullptr)) * 1'000'000'000;
  EXPECT_NEAR(static_cast<double>(seen.time_ns), static_cast<double>(now),
              60e9);
  EXPECT_EQ(seen.sequence, Last().sequence);
  EXPECT_EQ(Last().time_ns, seen.time_ns);
}

TEST_F(FailureTest, ThreadsFailAtOnceAndAllAreCounted) {
  const uint64_t before = FailuresOf(HAKMEM_CAUSE_THRESHOLD);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 1000; ++i) Fail();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(FailuresOf(HAKMEM_CAUSE_THRESHOLD), before + 4000);
  EXPECT_GT(FailuresForgotten(), 0u);
  std::vector<uint64_t> sequences;
  const size_t count = ForEachFailure(
      [](const hakmem_failure_t* failure, void* argument) {
        static_cast<std::vector<uint64_t>*>(argument)->push_back(
            failure->sequence);
      },
      &sequences);
  EXPECT_EQ(count, sequences.size());
  EXPECT_GT(count, 100u);
  EXPECT_TRUE(std::is_sorted(sequences.begin(), sequences.end()));
}

TEST_F(FailureTest, AFailureInsideTheHookIsKeptButNotHooked) {
  hook_calls = 0;
  SetFailureHook([](const hakmem_failure_t& record) {
    ++hook_calls;
    hook_cause = record.cause;
    errno = 99;
    NoteMapFail(HAKMEM_OS_REQUEST_MAP_LARGE, ENOMEM, kTooMuch);
    Record(Request(HAKMEM_ENTRY_REALLOC, kTooMuch));
  });
  errno = 5;
  Fail();
  EXPECT_EQ(errno, 5);
  EXPECT_EQ(hook_calls, 1);
  EXPECT_EQ(hook_cause, HAKMEM_CAUSE_THRESHOLD);
  EXPECT_EQ(Last().entry, HAKMEM_ENTRY_REALLOC);
  EXPECT_EQ(Last().subcause, HAKMEM_SUBCAUSE_ADDRESS_SPACE);  // looked up now
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
  const uint64_t before = FailuresOf(HAKMEM_CAUSE_THRESHOLD) +
                          FailuresOf(HAKMEM_CAUSE_MAPFAIL) +
                          FailuresOf(HAKMEM_CAUSE_NONE);
  const itimerval every = {{0, 100}, {0, 100}};
  ASSERT_EQ(setitimer(ITIMER_REAL, &every, nullptr), 0);
  uint64_t failed = 0;
  for (; handled < 300; ++failed) {
    NoteMapFail(HAKMEM_OS_REQUEST_MAP_LARGE, ENOMEM, kTooMuch);
    Record(Request(HAKMEM_ENTRY_MALLOC, kTooMuch));
  }
  const itimerval never = {};
  setitimer(ITIMER_REAL, &never, nullptr);
  signal(SIGALRM, SIG_IGN);
  EXPECT_EQ(FailuresOf(HAKMEM_CAUSE_THRESHOLD) +
                FailuresOf(HAKMEM_CAUSE_MAPFAIL) +
                FailuresOf(HAKMEM_CAUSE_NONE),
            before + failed + static_cast<uint64_t>(handled));
}

// What a handler read from its failure.
constinit std::atomic<hakmem_failure_subcause_t> read_in_handler{
    HAKMEM_SUBCAUSE_NONE};

void FailInHandler(int) {
  NoteMapFail(HAKMEM_OS_REQUEST_MAP_LARGE, ENOMEM, kTooMuch);
  Record(Request(HAKMEM_ENTRY_VALLOC, kTooMuch));
  hakmem_failure_t record = {};
  if (LastFailure(&record)) read_in_handler = record.subcause;
}

// Fails in a signal handler with `left` bytes of stack.
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
  SetFailureHook([](const hakmem_failure_t&) { ++hook_calls; });
  FailInAHandlerWith(4096);
  SetFailureHook(nullptr);
  EXPECT_EQ(hook_calls, 0);
  EXPECT_EQ(read_in_handler, HAKMEM_SUBCAUSE_NOT_LOOKED_UP);
  EXPECT_EQ(Last().entry, HAKMEM_ENTRY_VALLOC);
  EXPECT_EQ(Last().subcause, HAKMEM_SUBCAUSE_ADDRESS_SPACE);
}

TEST_F(FailureTest, AHandlerOnASmallStackIsDiagnosed) {
  // Little more than the least stack for a lookup: it suffices.
  FailInAHandlerWith(8192 + 512);
  EXPECT_EQ(Last().entry, HAKMEM_ENTRY_VALLOC);
  EXPECT_EQ(read_in_handler, HAKMEM_SUBCAUSE_ADDRESS_SPACE);
}

TEST_F(FailureTest, AForkedChildRecordsAndSeesItsParents) {
  Fail();
  const uint64_t sequence = Last().sequence;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    hakmem_failure_t record = {};
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

// Options are read once per process, so a child prints.
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
  // 10 lines, or some more if a new second begins meanwhile.
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

TEST_F(FailureDeathTest, AHandlerOnASmallStackLogsJsonAndItsStack) {
  EXPECT_EXIT(
      {
        setenv("HAKMEM_ACE_TRACE", "1", 1);
        setenv("HAKMEM_ACE_TRACE_FORMAT", "json", 1);
        setenv("HAKMEM_ACE_TRACE_STACK", "1", 1);
        options::Read();
        FailInAHandlerWith(8192 + 512);
        exit(0);
      },
      testing::ExitedWithCode(0),
      "^.\"kind\":\"failure\",[^\n]*\"entry\":\"valloc\"[^\n]*.\n"
      ".\"kind\":\"frame\",[^\n]*\"frame\":0,\"address\":\"0x");
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
