// failures_test.cc: each cause of a failed allocation is named, with its
// evidence, and the program can read, list and be called with the records.
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "frontend/block_test_helper.h"
#include "frontend/preload_test_helper.h"
#include "gtest/gtest.h"

namespace hakmem_test {
namespace {

constexpr size_t kImpossible = size_t{1} << 63;

bool HasTracing() { return LibraryPath().find("notrace") == std::string::npos; }

bool HasAce() { return LibraryPath().find("ace_off") == std::string::npos; }

hakmem_failure_t Last() {
  hakmem_failure_t failure = {};
  EXPECT_EQ(Hakmem().last_failure(&failure, sizeof(failure)), 1);
  return failure;
}

std::string Text(const hakmem_failure_t& failure) {
  char text[2048];
  Hakmem().failure_text(&failure, text, sizeof(text));
  return text;
}

std::vector<hakmem_failure_t> All() {
  // Reserved first: a failure callback or a limit may be in force.
  static std::vector<hakmem_failure_t> all;
  all.clear();
  all.reserve(1000);
  const size_t count = Hakmem().failures(
      [](const hakmem_failure_t* failure, void*) { all.push_back(*failure); },
      nullptr);
  EXPECT_EQ(count, all.size());
  return all;
}

void ExpectThreshold(const char* entry, size_t size, size_t alignment,
                     int error) {
  const hakmem_failure_t failure = Last();
  EXPECT_STREQ(failure.cause, "Threshold") << entry;
  EXPECT_STREQ(failure.subcause, "none");
  EXPECT_STREQ(failure.layer, "frontend");
  EXPECT_STREQ(failure.entry, entry);
  EXPECT_EQ(failure.size, size) << entry;
  EXPECT_EQ(failure.alignment, alignment) << entry;
  EXPECT_EQ(failure.error, error) << entry;
  EXPECT_EQ(failure.thread, static_cast<uint64_t>(gettid()));
}

// Runs in children: records of one test are not seen by the next, and limits
// hold for one child only.
class FailuresTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!HasTracing()) GTEST_SKIP() << "no tracing in this library";
  }

  static void InChild(const std::function<void()>& body) {
    const ChildResult child = RunForked(body);
    EXPECT_EQ(child.exit_code, 0);
    EXPECT_EQ(child.signal, 0);
    EXPECT_EQ(child.err, "");
  }
};

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

TEST_F(FailuresTest, ImpossibleSizesAndAlignmentsAreThreshold) {
  InChild([] {
    EXPECT_EQ(malloc(Opaque(kImpossible)), nullptr);
    ExpectThreshold("malloc", kImpossible, 0, ENOMEM);
    EXPECT_NE(Text(Last()).find("can never be served: PTRDIFF_MAX is 9223372"),
              std::string::npos);
    EXPECT_EQ(calloc(Opaque(kImpossible), 4), nullptr);
    ExpectThreshold("calloc", SIZE_MAX, 0, ENOMEM);
    void* block = malloc(10);
    EXPECT_EQ(realloc(block, Opaque(kImpossible)), nullptr);
    ExpectThreshold("realloc", kImpossible, 0, ENOMEM);
    EXPECT_EQ(reallocarray(block, Opaque(kImpossible), 2), nullptr);
    ExpectThreshold("reallocarray", SIZE_MAX, 0, ENOMEM);
    free(block);
    EXPECT_EQ(aligned_alloc(Opaque(size_t{3}), 100), nullptr);
    ExpectThreshold("aligned_alloc", 100, 3, EINVAL);
    EXPECT_EQ(memalign(Opaque(kImpossible), 100), nullptr);
    ExpectThreshold("memalign", 100, kImpossible, ENOMEM);
    void* untouched = &block;
    EXPECT_EQ(posix_memalign(&untouched, Opaque(size_t{4}), 100), EINVAL);
    EXPECT_EQ(untouched, &block);
    ExpectThreshold("posix_memalign", 100, 4, EINVAL);
    EXPECT_NE(Text(Last()).find("a multiple of 8"), std::string::npos);
    EXPECT_EQ(pvalloc(Opaque(SIZE_MAX)), nullptr);
    EXPECT_STREQ(Last().entry, "pvalloc");
    EXPECT_EQ(operator new(Opaque(kImpossible), std::nothrow), nullptr);
    ExpectThreshold("operator new", kImpossible, 0, ENOMEM);
    EXPECT_THROW(
        Opaque(::operator new(Opaque(kImpossible), std::align_val_t(64))),
        std::bad_alloc);
    ExpectThreshold("aligned operator new", kImpossible, 64, ENOMEM);
    EXPECT_GE(Stats().failures_threshold, 10u);
    EXPECT_EQ(Stats().failures_mapfail, 0u);
  });
}

TEST_F(FailuresTest, AnAddressSpaceLimitIsNamed) {
  InChild([] {
    LimitAddressSpace(64 * kMiB);
    rlimit limit;
    getrlimit(RLIMIT_AS, &limit);
    EXPECT_EQ(malloc(Opaque(256 * kMiB)), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    const hakmem_failure_t failure = Last();
    EXPECT_STREQ(failure.cause, "MapFail");
    EXPECT_STREQ(failure.subcause, "RLIMIT_AS");
    EXPECT_STREQ(failure.layer, "large");
    EXPECT_STREQ(failure.entry, "malloc");
    EXPECT_EQ(failure.size, 256 * kMiB);
    EXPECT_EQ(failure.error, ENOMEM);
    EXPECT_GE(failure.os_bytes, 256 * kMiB);
    EXPECT_EQ(failure.evidence_limit, limit.rlim_cur);
    EXPECT_LE(failure.evidence_used, limit.rlim_cur);
    EXPECT_GE(failure.evidence_used, limit.rlim_cur - 100 * kMiB);
    EXPECT_NE(Text(failure).find("raise RLIMIT_AS (ulimit -v) from "),
              std::string::npos)
        << Text(failure);
    EXPECT_EQ(Stats().failures_mapfail, 1u);
  });
}

TEST_F(FailuresTest, BlocksOfAnySizeTellWhyThereAreNoMore) {
  for (const size_t size : {size_t{64}, size_t{1000}, 20 * kKiB, 300 * kKiB}) {
    InChild([size] {
      LimitAddressSpace(64 * kMiB);
      BlockChain blocks;
      while (void* block = malloc(size)) blocks.Push(block);
      const hakmem_failure_t failure = Last();
      EXPECT_STREQ(failure.cause, "MapFail") << size;
      EXPECT_STREQ(failure.subcause, "RLIMIT_AS") << size;
      EXPECT_EQ(failure.size, size);
      while (void* block = blocks.Pop()) free(block);
    });
  }
}

TEST_F(FailuresTest, ADataLimitIsNamed) {
  InChild([] {
    rlimit limit;
    getrlimit(RLIMIT_DATA, &limit);
    limit.rlim_cur = 64 * kMiB;
    ASSERT_EQ(setrlimit(RLIMIT_DATA, &limit), 0);
    EXPECT_EQ(malloc(Opaque(256 * kMiB)), nullptr);
    const hakmem_failure_t failure = Last();
    EXPECT_STREQ(failure.cause, "MapFail");
    EXPECT_STREQ(failure.subcause, "RLIMIT_DATA");
    EXPECT_EQ(failure.evidence_limit, 64 * kMiB);
    EXPECT_GT(failure.evidence_used, 0u);
    EXPECT_NE(Text(failure).find("raise RLIMIT_DATA (ulimit -d) from 64 MiB"),
              std::string::npos)
        << Text(failure);
  });
}

TEST_F(FailuresTest, MoreThanTheAddressSpaceOfAnyProcessIsNamed) {
  InChild([] {
    EXPECT_EQ(malloc(Opaque(size_t{1} << 60)), nullptr);
    EXPECT_STREQ(Last().cause, "MapFail");
    EXPECT_STREQ(Last().subcause, "address_space");
  });
}

TEST_F(FailuresTest, TheMappingCountIsNamed) {
  size_t most = 0;
  std::ifstream("/proc/sys/vm/max_map_count") >> most;
  if (most == 0 || most > 300'000) GTEST_SKIP() << most << " mappings";
  InChild([most] {
    // Each second page gets an access of its own, until no mapping is left.
    const size_t page = 4096;
    auto* pages = static_cast<char*>(
        mmap(nullptr, 2 * most * page, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    ASSERT_NE(pages, MAP_FAILED);
    for (size_t i = 0; i < most; ++i) {
      if (mprotect(pages + 2 * i * page, page, PROT_READ) != 0) break;
    }
    BlockChain blocks;
    void* block = nullptr;
    for (int i = 0; i < 100 && (block = malloc(3 * kMiB)) != nullptr; ++i) {
      blocks.Push(block);
    }
    ASSERT_EQ(block, nullptr);
    const hakmem_failure_t failure = Last();
    munmap(pages, 2 * most * page);
    EXPECT_STREQ(failure.cause, "MapFail");
    EXPECT_STREQ(failure.subcause, "max_map_count");
    EXPECT_EQ(failure.evidence_limit, most);
    EXPECT_GE(failure.evidence_used, most - most / 100);
    EXPECT_NE(Text(failure).find("raise vm.max_map_count from " +
                                 std::to_string(most)),
              std::string::npos)
        << Text(failure);
    while (void* held = blocks.Pop()) free(held);
  });
}

int FillThePool() {
  BlockChain blocks;
  while (void* block = malloc(40'000)) {
    blocks.Push(block);
    if (blocks.count() > 100'000) return 2;
  }
  const hakmem_failure_t failure = Last();
  fprintf(stderr, "%s %s %s %d %s\n", failure.cause, failure.subcause,
          failure.layer, failure.limit_bytes == 16 * kMiB,
          Text(failure).c_str());
  const bool full = failure.live_bytes + failure.cached_bytes > 15 * kMiB;
  const bool counted = Stats().failures_exhaustion == 1;
  return full && counted ? 0 : 3;
}
const ChildProgram fill_the_pool("fill_the_pool", FillThePool);

TEST_F(FailuresTest, ThePoolsLimitIsNamed) {
  if (!HasAce()) GTEST_SKIP() << "no pool in this library";
  const ChildResult child =
      RunChildProgram("fill_the_pool", {{"HAKMEM_ACE_LIMIT_MB", "16"}});
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.err.rfind("Exhaustion none ace 1 ", 0), 0u) << child.err;
  EXPECT_NE(child.err.find("raise HAKMEM_ACE_LIMIT_MB from 16\n"),
            std::string::npos)
      << child.err;
}

TEST_F(FailuresTest, WithoutProcItIsUnknownAndTheProgramLives) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may chroot";
  std::string folder = testing::TempDir() + "/failures_test_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  InChild([&folder] {
    LimitAddressSpace(64 * kMiB);
    if (chroot(folder.c_str()) != 0) return;
    EXPECT_EQ(malloc(Opaque(256 * kMiB)), nullptr);
    EXPECT_STREQ(Last().cause, "MapFail");
    EXPECT_STREQ(Last().subcause, "unknown");
    void* block = malloc(1000);
    EXPECT_NE(block, nullptr);
    free(block);
  });
  rmdir(folder.c_str());
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
    EXPECT_STREQ(calls.failure.cause, "Threshold");
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
    EXPECT_STREQ(all[0].entry, "malloc");
    EXPECT_STREQ(all[0].subcause, "RLIMIT_AS");
    EXPECT_STREQ(all[1].entry, "calloc");
    EXPECT_STREQ(all[1].subcause, "unknown");  // a failure inside a failure
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

// --- Where it is hardest ---------------------------------------------------

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
      // Needs no lock of the allocator, whatever it interrupted.
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
      EXPECT_STREQ(Last().entry, "calloc");
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
  EXPECT_EQ(Stats().failures_threshold, 0u);
}

}  // namespace
}  // namespace hakmem_test
