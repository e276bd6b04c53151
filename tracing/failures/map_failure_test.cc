#include "tracing/failures/map_failure.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tracing/failures/fake_system_test_helper.h"

namespace hakmem {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kGiB = 1 << 30;

uint64_t as_limit;
uint64_t data_limit;
uint64_t now_milliseconds;

uint64_t locked_limit;
uint64_t Limit(int resource) {
  return resource == RLIMIT_AS     ? as_limit
         : resource == RLIMIT_DATA ? data_limit
                                   : locked_limit;
}
uint64_t Now() { return now_milliseconds; }
uint64_t address_space;
uint64_t Space() { return address_space; }

std::string KiBLine(const char* key, uint64_t bytes) {
  return std::string(key) + ":\t " + std::to_string(bytes / 1024) + " kB\n";
}

hakmem_failure_t ExplainWith(
    MapFailure& map_failure, uint64_t bytes,
    hakmem_failure_os_request_t request = HAKMEM_OS_REQUEST_MAP_LARGE,
    int error = ENOMEM) {
  hakmem_failure_t failure = {};
  failure.os_request = request;
  failure.error = error;
  failure.os_bytes = bytes;
  map_failure.Explain(&failure);
  return failure;
}

// A system in which nothing is near its limit; each test changes one thing.
class MapFailureTest : public testing::Test {
 protected:
  MapFailureTest() {
    as_limit = data_limit = locked_limit = UINT64_MAX;
    now_milliseconds = 1'000'000;
    address_space = uint64_t{1} << 47;
    Status(300 * kMiB, 200 * kMiB);
    Overcommit("0", 100 * kGiB, 1 * kGiB);
    system_.Write("/proc/sys/vm/max_map_count", "65530\n");
    Mappings(100);
    system_.Write("/proc/thread-self/cgroup", "0::/\n");
    Cgroup(512 * kMiB, 100 * kMiB, 0);
  }

  void Status(uint64_t size, uint64_t data) {
    system_.Write("/proc/thread-self/status",
                  "Name:\tprogram: with 1 colon\n" +
                      KiBLine("VmPeak", 999 * kGiB) + KiBLine("VmSize", size) +
                      KiBLine("VmLck", 50 * kMiB) + KiBLine("VmData", data) +
                      "Threads:\t1\n");
  }
  void Overcommit(const char* mode, uint64_t limit, uint64_t committed) {
    system_.Write("/proc/sys/vm/overcommit_memory", std::string(mode) + "\n");
    system_.Write("/proc/meminfo", KiBLine("MemTotal", 8 * kGiB) +
                                       KiBLine("SwapTotal", 2 * kGiB) +
                                       KiBLine("CommitLimit", limit) +
                                       KiBLine("Committed_AS", committed));
  }
  void Mappings(int count) {
    std::string lines;
    for (int i = 0; i < count; ++i) {
      lines += "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 [heap]\n";
    }
    system_.Write("/proc/thread-self/maps", lines);
  }
  void Cgroup(uint64_t limit, uint64_t used, uint64_t files) {
    system_.Write("/sys/fs/cgroup/memory.max", std::to_string(limit));
    system_.Write("/sys/fs/cgroup/memory.current", std::to_string(used));
    system_.Write("/sys/fs/cgroup/memory.stat",
                  "file " + std::to_string(files) + "\n");
  }

  // Looks again, with nothing cached.
  hakmem_failure_t Explain(
      uint64_t bytes,
      hakmem_failure_os_request_t request = HAKMEM_OS_REQUEST_MAP_LARGE,
      int error = ENOMEM) {
    const SystemView view = {system_.root(), Limit, Now, Space};
    MapFailure map_failure(view);
    return ExplainWith(map_failure, bytes, request, error);
  }

  FakeSystem system_;
};

void ExpectEvidence(const hakmem_failure_t& failure,
                    hakmem_failure_subcause_t subcause, uint64_t used,
                    uint64_t limit) {
  EXPECT_EQ(failure.subcause, subcause);
  EXPECT_EQ(failure.evidence_used, used);
  EXPECT_EQ(failure.evidence_limit, limit);
}

TEST_F(MapFailureTest, NothingExplainsIt) {
  EXPECT_EQ(Explain(1 * kMiB).subcause, HAKMEM_SUBCAUSE_UNKNOWN);
}

TEST_F(MapFailureTest, AddressSpaceLimit) {
  as_limit = 320 * kMiB;
  ExpectEvidence(Explain(100 * kMiB), HAKMEM_SUBCAUSE_RLIMIT_AS, 300 * kMiB,
                 320 * kMiB);
  ExpectEvidence(Explain(19 * kMiB, HAKMEM_OS_REQUEST_RESERVE),
                 HAKMEM_SUBCAUSE_RLIMIT_AS, 300 * kMiB, 320 * kMiB);
  EXPECT_EQ(Explain(1 * kMiB).subcause, HAKMEM_SUBCAUSE_UNKNOWN);
  // Committing reserved memory takes no address space.
  EXPECT_EQ(Explain(100 * kMiB, HAKMEM_OS_REQUEST_COMMIT).subcause,
            HAKMEM_SUBCAUSE_UNKNOWN);
  EXPECT_EQ(Explain(UINT64_MAX).subcause, HAKMEM_SUBCAUSE_RLIMIT_AS);
}

TEST_F(MapFailureTest, DataLimit) {
  data_limit = 210 * kMiB;
  for (const hakmem_failure_os_request_t request :
       {HAKMEM_OS_REQUEST_MAP_LARGE, HAKMEM_OS_REQUEST_COMMIT,
        HAKMEM_OS_REQUEST_METADATA, HAKMEM_OS_REQUEST_GROW_LARGE}) {
    ExpectEvidence(Explain(50 * kMiB, request), HAKMEM_SUBCAUSE_RLIMIT_DATA,
                   200 * kMiB, 210 * kMiB);
  }
  EXPECT_EQ(Explain(50 * kMiB, HAKMEM_OS_REQUEST_RESERVE).subcause,
            HAKMEM_SUBCAUSE_UNKNOWN);
}

TEST_F(MapFailureTest, LockedMemoryLimit) {
  locked_limit = 60 * kMiB;
  for (const hakmem_failure_os_request_t request :
       {HAKMEM_OS_REQUEST_MAP_LARGE, HAKMEM_OS_REQUEST_RESERVE,
        HAKMEM_OS_REQUEST_METADATA, HAKMEM_OS_REQUEST_GROW_LARGE}) {
    ExpectEvidence(Explain(8 * kMiB, request, EAGAIN),
                   HAKMEM_SUBCAUSE_RLIMIT_MEMLOCK, 50 * kMiB, 60 * kMiB);
  }
  EXPECT_EQ(Explain(1 * kMiB, HAKMEM_OS_REQUEST_MAP_LARGE, EAGAIN).subcause,
            HAKMEM_SUBCAUSE_UNKNOWN);
  // The kernel uses another errno for that.
  EXPECT_EQ(Explain(8 * kMiB).subcause, HAKMEM_SUBCAUSE_UNKNOWN);
}

TEST_F(MapFailureTest, ARequestBeyondALimitByItselfNeedsNoFiles) {
  system_.Remove("/proc");
  as_limit = data_limit = locked_limit = 10 * kMiB;
  ExpectEvidence(Explain(11 * kMiB), HAKMEM_SUBCAUSE_RLIMIT_AS, 0, 10 * kMiB);
  as_limit = UINT64_MAX;
  ExpectEvidence(Explain(11 * kMiB), HAKMEM_SUBCAUSE_RLIMIT_DATA, 0, 10 * kMiB);
  ExpectEvidence(Explain(11 * kMiB, HAKMEM_OS_REQUEST_MAP_LARGE, EAGAIN),
                 HAKMEM_SUBCAUSE_RLIMIT_MEMLOCK, 0, 10 * kMiB);
  EXPECT_EQ(Explain(10 * kMiB).subcause, HAKMEM_SUBCAUSE_UNKNOWN);
}

TEST_F(MapFailureTest, MoreThanAnyAddressSpace) {
  for (const int bits : {39, 47, 48, 52, 57}) {
    address_space = uint64_t{1} << bits;
    ExpectEvidence(Explain(2 * address_space), HAKMEM_SUBCAUSE_ADDRESS_SPACE,
                   2 * address_space, address_space);
    EXPECT_NE(Explain(address_space / 2).subcause,
              HAKMEM_SUBCAUSE_ADDRESS_SPACE);
  }
}

TEST_F(MapFailureTest, CommitLimit) {
  Overcommit("2", 16 * kGiB, 15 * kGiB);
  ExpectEvidence(Explain(2 * kGiB), HAKMEM_SUBCAUSE_COMMIT_LIMIT, 15 * kGiB,
                 16 * kGiB);
  EXPECT_EQ(Explain(500 * kMiB).subcause, HAKMEM_SUBCAUSE_UNKNOWN);
  // The part that the kernel reserves for repairs.
  Overcommit("2", 16 * kGiB, 16 * kGiB - 9 * kMiB);
  EXPECT_EQ(Explain(1 * kMiB).subcause, HAKMEM_SUBCAUSE_COMMIT_LIMIT);
  // Only that mode enforces it.
  Overcommit("1", 16 * kGiB, 15 * kGiB);
  EXPECT_EQ(Explain(2 * kGiB).subcause, HAKMEM_SUBCAUSE_UNKNOWN);
}

TEST_F(MapFailureTest, MappingCount) {
  system_.Write("/proc/sys/vm/max_map_count", "200\n");
  Mappings(200);
  ExpectEvidence(Explain(1 * kMiB), HAKMEM_SUBCAUSE_MAX_MAP_COUNT, 200, 200);
  Mappings(150);
  EXPECT_EQ(Explain(1 * kMiB).subcause, HAKMEM_SUBCAUSE_UNKNOWN);
}

TEST_F(MapFailureTest, CgroupLimit) {
  Cgroup(512 * kMiB, 511 * kMiB, 1 * kMiB);
  ExpectEvidence(Explain(1 * kMiB), HAKMEM_SUBCAUSE_MEMORY_MAX, 511 * kMiB,
                 512 * kMiB);
  // Page cache is dropped when memory is needed.
  Cgroup(512 * kMiB, 511 * kMiB, 300 * kMiB);
  EXPECT_EQ(Explain(1 * kMiB).subcause, HAKMEM_SUBCAUSE_UNKNOWN);
}

TEST_F(MapFailureTest, CgroupLimitOfVersion1) {
  system_.Write("/proc/thread-self/cgroup", "9:memory:/\n");
  const std::string folder = "/sys/fs/cgroup/memory";
  system_.Write(folder + "/memory.limit_in_bytes", "1000000\n");
  system_.Write(folder + "/memory.usage_in_bytes", "999999\n");
  ExpectEvidence(Explain(1 * kMiB), HAKMEM_SUBCAUSE_MEMORY_LIMIT_IN_BYTES,
                 999999, 1000000);
}

TEST_F(MapFailureTest, OneRequestBeyondAllMemory) {
  ExpectEvidence(Explain(11 * kGiB), HAKMEM_SUBCAUSE_OVERCOMMIT, 11 * kGiB,
                 10 * kGiB);
  EXPECT_EQ(Explain(9 * kGiB).subcause, HAKMEM_SUBCAUSE_UNKNOWN);
}

TEST_F(MapFailureTest, HugePages) {
  EXPECT_EQ(Explain(2 * kMiB, HAKMEM_OS_REQUEST_HUGE_PAGES, EINVAL).subcause,
            HAKMEM_SUBCAUSE_HUGE_PAGES);
}

TEST_F(MapFailureTest, OtherErrorsAreOfNoLimit) {
  as_limit = data_limit = 1;
  EXPECT_EQ(Explain(2 * kMiB, HAKMEM_OS_REQUEST_MAP_LARGE, EPERM).subcause,
            HAKMEM_SUBCAUSE_UNKNOWN);
}

TEST_F(MapFailureTest, MissingFilesExplainNothing) {
  as_limit = data_limit = 2 * kMiB;
  system_.Remove("/proc");
  system_.Remove("/sys");
  EXPECT_EQ(Explain(2 * kMiB).subcause, HAKMEM_SUBCAUSE_UNKNOWN);
}

TEST_F(MapFailureTest, UnreadableAndTruncatedFilesExplainNothing) {
  const char* const files[] = {
      "/proc/thread-self/status",       "/proc/thread-self/maps",
      "/proc/thread-self/cgroup",       "/proc/sys/vm/max_map_count",
      "/proc/sys/vm/overcommit_memory", "/proc/meminfo",
      "/sys/fs/cgroup/memory.max",      "/sys/fs/cgroup/memory.current"};
  for (const char* contents : {"", "V", "VmSize:", "VmSize: ", "\n", "max"}) {
    for (const char* file : files) system_.Write(file, contents);
    as_limit = data_limit = 2 * kMiB;
    EXPECT_EQ(Explain(2 * kMiB).subcause, HAKMEM_SUBCAUSE_UNKNOWN) << contents;
  }
  for (const char* file : files) system_.MakeUnreadable(file);
  EXPECT_EQ(Explain(2 * kMiB).subcause, HAKMEM_SUBCAUSE_UNKNOWN);
}

TEST_F(MapFailureTest, CostlyFiguresAreKeptForATenthOfASecond) {
  const SystemView view = {system_.root(), Limit, Now, Space};
  MapFailure map_failure(view);
  const auto subcause = [&] {
    return ExplainWith(map_failure, 1 * kMiB).subcause;
  };
  EXPECT_EQ(subcause(), HAKMEM_SUBCAUSE_UNKNOWN);
  Mappings(65530);
  now_milliseconds += 99;
  EXPECT_EQ(subcause(), HAKMEM_SUBCAUSE_UNKNOWN);
  now_milliseconds += 1;
  EXPECT_EQ(subcause(), HAKMEM_SUBCAUSE_MAX_MAP_COUNT);
  Mappings(5);
  Cgroup(512 * kMiB, 512 * kMiB, 0);
  EXPECT_EQ(subcause(), HAKMEM_SUBCAUSE_MAX_MAP_COUNT);
  now_milliseconds += 100;
  // The cgroup was not looked at while mappings explained it.
  EXPECT_EQ(subcause(), HAKMEM_SUBCAUSE_MEMORY_MAX);
}

TEST_F(MapFailureTest, ManyThreadsMayAskAtOnce) {
  now_milliseconds = 5;
  system_.Write("/proc/sys/vm/max_map_count", "50\n");
  const SystemView view = {system_.root(), Limit, Now, Space};
  MapFailure map_failure(view);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        const hakmem_failure_t e = ExplainWith(map_failure, kMiB);
        if (e.subcause != HAKMEM_SUBCAUSE_MAX_MAP_COUNT ||
            e.evidence_used != 100)
          ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

// All mappings lie in it, and its end is not far away.
TEST(RealMapFailureTest, TheAddressSpaceIsThisProcesss) {
  const uint64_t space = kRealSystem.address_space();
  int local = 0;
  EXPECT_TRUE(std::has_single_bit(space)) << space;
  EXPECT_LT(reinterpret_cast<uintptr_t>(&local), space);
  EXPECT_GE(space, uint64_t{1} << 38);
  EXPECT_LE(space, uint64_t{1} << 57);
}

TEST(RealMapFailureTest, TheSystemItselfCanBeLookedAt) {
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_DATA, &before), 0);
  MapFailure map_failure(kRealSystem);
  const hakmem_failure_t none = ExplainWith(map_failure, 1 * kMiB);
  EXPECT_NE(none.subcause, HAKMEM_SUBCAUSE_RLIMIT_DATA);
  rlimit tight = before;
  tight.rlim_cur = 1 * kMiB;
  ASSERT_EQ(setrlimit(RLIMIT_DATA, &tight), 0);
  const hakmem_failure_t data = ExplainWith(map_failure, 1 * kMiB);
  ASSERT_EQ(setrlimit(RLIMIT_DATA, &before), 0);
  EXPECT_EQ(data.subcause, HAKMEM_SUBCAUSE_RLIMIT_DATA);
  EXPECT_EQ(data.evidence_limit, 1 * kMiB);
  EXPECT_GT(data.evidence_used, 0u);
  EXPECT_LT(data.evidence_used, uint64_t{1} << 46);
}

}  // namespace
}  // namespace hakmem
