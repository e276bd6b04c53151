// failures_test.cc: the program can read and list the records of failed
// allocations and get a callback for each, in all circumstances.
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/oom/failures_test_helper.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

TEST_F(FailuresTest, WithoutAFailureThereIsNoRecord) {
  InChild([] {
    hakmem_failure_t failure = {};
    failure.size = 77;
    EXPECT_EQ(Hakmem().last_failure(&failure, sizeof(failure)), 0);
    EXPECT_EQ(failure.size, 77u);
    EXPECT_TRUE(All().empty());
    EXPECT_EQ(Stats().failures_threshold, 0u);
  });
}

// --- Reading them ----------------------------------------------------------

TEST_F(FailuresTest, TheLast128AreKeptOldestFirst) {
  InChild([] {
    for (size_t i = 0; i < 300; ++i) {
      EXPECT_EQ(malloc(Opaque(kImpossible + i)), nullptr);
    }
    const std::vector<hakmem_failure_t> all = All();
    ASSERT_EQ(all.size(), 128u);
    for (size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(all[i].size, kImpossible + 300 - 128 + i);
    }
    EXPECT_EQ(Stats().failures_threshold, 300u);
    EXPECT_EQ(Stats().failures_forgotten, 300u - 128);
  });
}

TEST_F(FailuresTest, ReadingThemAllocatesNothing) {
  InChild([] {
    EXPECT_EQ(malloc(Opaque(kImpossible)), nullptr);
    const uint64_t before = Stats().live_bytes;
    char text[2048];
    hakmem_failure_t failure;
    Hakmem().last_failure(&failure, sizeof(failure));
    Hakmem().failure_text(&failure, text, sizeof(text));
    Hakmem().failures([](const hakmem_failure_t*, void*) {}, nullptr);
    EXPECT_EQ(malloc(Opaque(size_t{1} << 60)), nullptr);
    EXPECT_EQ(Stats().live_bytes, before);
  });
}

TEST_F(FailuresTest, AShorterStructIsFilledAsFarAsItGoes) {
  InChild([] {
    EXPECT_EQ(malloc(Opaque(kImpossible)), nullptr);
    hakmem_failure_t failure;
    memset(&failure, 0x5a, sizeof(failure));
    EXPECT_EQ(
        Hakmem().last_failure(&failure, offsetof(hakmem_failure_t, alignment)),
        1);
    EXPECT_EQ(failure.size, kImpossible);
    EXPECT_EQ(failure.alignment, 0x5a5a5a5a5a5a5a5au);
  });
}

TEST_F(FailuresTest, AStructSaysHowMuchOfItIsFilledIn) {
  InChild([] {
    EXPECT_EQ(malloc(Opaque(kImpossible)), nullptr);
    const std::string whole = Text(Last());
    EXPECT_EQ(Last().struct_size, sizeof(hakmem_failure_t));
    // A program built with an older header: the rest is not read.
    hakmem_failure_t old;
    memset(&old, 0x5a, sizeof(old));
    constexpr size_t kOldSize = offsetof(hakmem_failure_t, class_bytes);
    EXPECT_EQ(Hakmem().last_failure(&old, kOldSize), 1);
    EXPECT_EQ(old.struct_size, kOldSize);
    EXPECT_EQ(Text(old), whole);
    // And one built with a newer header: its further fields stay unchanged.
    struct {
      hakmem_failure_t known;
      uint64_t unknown;
    } larger;
    memset(&larger, 0x5a, sizeof(larger));
    EXPECT_EQ(Hakmem().last_failure(&larger.known, sizeof(larger)), 1);
    EXPECT_EQ(larger.known.struct_size, sizeof(hakmem_failure_t));
    EXPECT_EQ(larger.unknown, 0x5a5a5a5a5a5a5a5au);
  });
}

TEST_F(FailuresTest, CodesHaveNames) {
  InChild([] {
    EXPECT_EQ(memalign(64, Opaque(size_t{1} << 60)), nullptr);
    const hakmem_failure_t failure = Last();
    EXPECT_STREQ(Hakmem().failure_entry_name(failure.entry), "memalign");
    EXPECT_STREQ(Hakmem().failure_layer_name(failure.layer), "large");
    EXPECT_STREQ(Hakmem().failure_cause_name(failure.cause), "MapFail");
    EXPECT_STREQ(Hakmem().failure_subcause_name(failure.subcause),
                 "address_space");
    EXPECT_STREQ(Hakmem().failure_os_request_name(failure.os_request),
                 "map_large");
    EXPECT_STREQ(
        Hakmem().failure_cause_name(static_cast<hakmem_failure_cause_t>(99)),
        "?");
  });
}

TEST_F(FailuresTest, TheJsonIsCutAndTerminatedInASmallBuffer) {
  InChild([] {
    EXPECT_EQ(malloc(Opaque(kImpossible)), nullptr);
    const hakmem_failure_t failure = Last();
    char whole[4096];
    const size_t length = Hakmem().failure_json(&failure, whole, sizeof(whole));
    ASSERT_LT(length, sizeof(whole));
    EXPECT_EQ(std::string(whole).size(), length);
    EXPECT_EQ(whole[0], '{');
    EXPECT_EQ(whole[length - 1], '}');
    EXPECT_NE(std::string(whole).find("\"cause\":\"Threshold\""),
              std::string::npos);
    char part[64];
    memset(part, '?', sizeof(part));
    EXPECT_EQ(Hakmem().failure_json(&failure, part, 20), length);
    EXPECT_EQ(std::string(part), std::string(whole).substr(0, 19));
    EXPECT_EQ(part[20], '?');
    EXPECT_EQ(Hakmem().failure_json(&failure, nullptr, 0), length);
  });
}

TEST_F(FailuresTest, TheTextIsCutAndTerminatedInASmallBuffer) {
  InChild([] {
    EXPECT_EQ(malloc(Opaque(kImpossible)), nullptr);
    const hakmem_failure_t failure = Last();
    const std::string whole = Text(failure);
    char part[64];
    memset(part, '?', sizeof(part));
    EXPECT_EQ(Hakmem().failure_text(&failure, part, 20), whole.size());
    EXPECT_EQ(std::string(part), whole.substr(0, 19));
    EXPECT_EQ(part[20], '?');
    EXPECT_EQ(Hakmem().failure_text(&failure, nullptr, 0), whole.size());
  });
}

TEST_F(FailuresTest, RoutingsAddUpToTheStatistics) {
  InChild([] {
    uint64_t sum = 0;
    Hakmem().routings(
        [](size_t least, size_t most, uint64_t requests, uint64_t bytes,
           void* argument) {
          EXPECT_LE(least, most);
          EXPECT_GE(bytes, requests * least);
          EXPECT_LE(bytes / most, requests);
          *static_cast<uint64_t*>(argument) += requests;
        },
        &sum);
    EXPECT_EQ(sum, Stats().routings);
  });
}

// --- The callback ----------------------------------------------------------

struct Calls {
  int count = 0;
  pthread_t thread;
  hakmem_failure_t failure;
};

TEST_F(FailuresTest, TheCallbackRunsOnTheFailingThread) {
  InChild([] {
    Calls calls;
    Hakmem().set_failure_callback(
        [](const hakmem_failure_t* failure, void* argument) {
          auto* c = static_cast<Calls*>(argument);
          ++c->count;
          c->thread = pthread_self();
          c->failure = *failure;
          errno = 1;
        },
        &calls);
    pthread_t failing;
    std::thread([&failing] {
      failing = pthread_self();
      errno = 0;
      EXPECT_EQ(malloc(Opaque(kImpossible)), nullptr);
      EXPECT_EQ(errno, ENOMEM);
    }).join();
    EXPECT_EQ(calls.count, 1);
    EXPECT_TRUE(pthread_equal(calls.thread, failing));
    EXPECT_EQ(calls.failure.cause, HAKMEM_CAUSE_THRESHOLD);
    EXPECT_EQ(calls.failure.size, kImpossible);
    Hakmem().set_failure_callback(nullptr, nullptr);
    EXPECT_EQ(malloc(Opaque(kImpossible)), nullptr);
    EXPECT_EQ(calls.count, 1);
  });
}

TEST_F(FailuresTest, TheCallbackMayAllocateAndFail) {
  InChild([] {
    LimitAddressSpace(64 * kMiB);
    int calls = 0;
    Hakmem().set_failure_callback(
        [](const hakmem_failure_t*, void* argument) {
          ++*static_cast<int*>(argument);
          void* block = malloc(100);
          EXPECT_NE(block, nullptr);
          free(block);
          EXPECT_EQ(calloc(1, Opaque(256 * kMiB)), nullptr);
        },
        &calls);
    EXPECT_EQ(malloc(Opaque(512 * kMiB)), nullptr);
    EXPECT_EQ(calls, 1);
    Hakmem().set_failure_callback(nullptr, nullptr);
    const std::vector<hakmem_failure_t> all = All();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].entry, HAKMEM_ENTRY_MALLOC);
    EXPECT_EQ(all[0].subcause, HAKMEM_SUBCAUSE_RLIMIT_AS);
    EXPECT_EQ(all[1].entry, HAKMEM_ENTRY_CALLOC);
    EXPECT_EQ(all[1].subcause, HAKMEM_SUBCAUSE_RLIMIT_AS);  // looked up by All
  });
}

TEST_F(FailuresTest, TheCallbackMayChangeWhileThreadsFail) {
  InChild([] {
    // Each argument belongs to its function: they must never be mixed.
    static std::atomic<int> wrong = 0;
    static char a, b;
    std::atomic<bool> done = false;
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&done] {
        while (!done) EXPECT_EQ(malloc(Opaque(kImpossible)), nullptr);
      });
    }
    for (int i = 0; i < 5000; ++i) {
      Hakmem().set_failure_callback(
          [](const hakmem_failure_t*, void* argument) {
            if (argument != &a) ++wrong;
          },
          &a);
      Hakmem().set_failure_callback(
          [](const hakmem_failure_t*, void* argument) {
            if (argument != &b) ++wrong;
          },
          &b);
    }
    done = true;
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
  });
}

// --- Hard cases --------------------------------------------------------------

TEST_F(FailuresTest, ThreadsMayFailAtOnce) {
  InChild([] {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 1000; ++i) {
          EXPECT_EQ(malloc(Opaque(kImpossible)), nullptr);
          EXPECT_EQ(malloc(Opaque(size_t{1} << 60)), nullptr);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(Stats().failures_threshold, 4000u);
    EXPECT_EQ(Stats().failures_mapfail, 4000u);
    EXPECT_GT(All().size(), 100u);
  });
}

std::atomic<int> handled = 0;

TEST_F(FailuresTest, ASignalHandlerMayFailWhileItsThreadFails) {
  InChild([] {
    struct sigaction action = {};
    action.sa_handler = [](int) {
      // Takes no lock of the allocator, whatever it interrupted.
      if (malloc(Opaque(kImpossible)) == nullptr) ++handled;
    };
    ASSERT_EQ(sigaction(SIGALRM, &action, nullptr), 0);
    const itimerval every = {{0, 100}, {0, 100}};
    ASSERT_EQ(setitimer(ITIMER_REAL, &every, nullptr), 0);
    uint64_t failed = 0;
    for (; handled < 300; ++failed) {
      EXPECT_EQ(malloc(Opaque(kImpossible)), nullptr);
    }
    const itimerval never = {};
    setitimer(ITIMER_REAL, &never, nullptr);
    signal(SIGALRM, SIG_IGN);
    EXPECT_EQ(Stats().failures_threshold,
              failed + static_cast<uint64_t>(handled));
  });
}

TEST_F(FailuresTest, AForkedChildFailsOnItsOwn) {
  InChild([] {
    EXPECT_EQ(malloc(Opaque(kImpossible)), nullptr);
    const uint64_t sequence = Last().sequence;
    const ChildResult child = RunForked([sequence] {
      EXPECT_EQ(Last().sequence, sequence);
      EXPECT_EQ(calloc(Opaque(kImpossible), 2), nullptr);
      EXPECT_GT(Last().sequence, sequence);
      EXPECT_EQ(Last().entry, HAKMEM_ENTRY_CALLOC);
      EXPECT_EQ(Last().thread, static_cast<uint64_t>(getpid()));
    });
    EXPECT_EQ(child.exit_code, 0);
    EXPECT_EQ(Last().sequence, sequence);
  });
}

// --- Without tracing -------------------------------------------------------

int DoNothing() { return 0; }
const ChildProgram do_nothing("do_nothing", DoNothing);

TEST(NoFailuresTest, WithoutTracingATraceIsRefusedInALine) {
  const ChildResult child =
      RunChildProgram("do_nothing", {{"HAKMEM_ACE_TRACE", "1"}});
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.err, HasTracing() ? ""
                                    : "hakmem: HAKMEM_ACE_TRACE is ignored: "
                                      "built with --//tracing=off\n");
}

TEST(NoFailuresTest, WithoutTracingTheAnswerIsNone) {
  if (HasTracing()) GTEST_SKIP() << "this library has tracing";
  Hakmem().set_failure_callback([](const hakmem_failure_t*, void*) { abort(); },
                                nullptr);
  EXPECT_EQ(malloc(Opaque(kImpossible)), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  hakmem_failure_t failure = {};
  EXPECT_EQ(Hakmem().last_failure(&failure, sizeof(failure)), 0);
  EXPECT_EQ(Hakmem().failures([](const hakmem_failure_t*, void*) { abort(); },
                              nullptr),
            0u);
  EXPECT_EQ(
      Hakmem().routings(
          [](size_t, size_t, uint64_t, uint64_t, void*) { abort(); }, nullptr),
      0u);
  char text[8] = "text";
  EXPECT_EQ(Hakmem().failure_text(&failure, text, sizeof(text)), 0u);
  EXPECT_STREQ(text, "");
  EXPECT_STREQ(Hakmem().failure_cause_name(HAKMEM_CAUSE_MAPFAIL), "");
  EXPECT_EQ(Stats().failures_threshold, 0u);
}

}  // namespace
}  // namespace hakmem_test
