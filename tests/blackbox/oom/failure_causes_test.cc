// failure_causes_test.cc: the record of a failed allocation names its cause,
// with evidence.
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <new>
#include <string>

#include "gtest/gtest.h"
#include "tests/blackbox/oom/failures_test_helper.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

using FailureCausesTest = FailuresTest;

bool HasAce() { return LibraryPath().find("ace_off") == std::string::npos; }

void ExpectThreshold(hakmem_failure_entry_t entry, size_t size,
                     size_t alignment, int error) {
  const hakmem_failure_t failure = Last();
  EXPECT_EQ(failure.cause, HAKMEM_CAUSE_THRESHOLD) << entry;
  EXPECT_EQ(failure.subcause, HAKMEM_SUBCAUSE_NONE);
  EXPECT_EQ(failure.layer, HAKMEM_LAYER_FRONTEND);
  EXPECT_EQ(failure.entry, entry);
  EXPECT_EQ(failure.size, size) << entry;
  EXPECT_EQ(failure.alignment, alignment) << entry;
  EXPECT_EQ(failure.error, error) << entry;
  EXPECT_EQ(failure.thread, static_cast<uint64_t>(gettid()));
}

TEST_F(FailureCausesTest, ImpossibleSizesAndAlignmentsAreThreshold) {
  InChild([] {
    EXPECT_EQ(malloc(Opaque(kImpossible)), nullptr);
    ExpectThreshold(HAKMEM_ENTRY_MALLOC, kImpossible, 0, ENOMEM);
    EXPECT_NE(Text(Last()).find("can never be served: PTRDIFF_MAX is 9223372"),
              std::string::npos);
    EXPECT_EQ(calloc(Opaque(kImpossible), 4), nullptr);
    ExpectThreshold(HAKMEM_ENTRY_CALLOC, SIZE_MAX, 0, ENOMEM);
    void* block = malloc(10);
    EXPECT_EQ(realloc(block, Opaque(kImpossible)), nullptr);
    ExpectThreshold(HAKMEM_ENTRY_REALLOC, kImpossible, 0, ENOMEM);
    EXPECT_EQ(reallocarray(block, Opaque(kImpossible), 2), nullptr);
    ExpectThreshold(HAKMEM_ENTRY_REALLOCARRAY, SIZE_MAX, 0, ENOMEM);
    free(block);
    EXPECT_EQ(aligned_alloc(Opaque(SIZE_MAX), 100), nullptr);
    ExpectThreshold(HAKMEM_ENTRY_ALIGNED_ALLOC, 100, SIZE_MAX, EINVAL);
    EXPECT_EQ(memalign(Opaque(kImpossible), 100), nullptr);
    ExpectThreshold(HAKMEM_ENTRY_MEMALIGN, 100, kImpossible, ENOMEM);
    void* untouched = &block;
    EXPECT_EQ(posix_memalign(&untouched, Opaque(size_t{4}), 100), EINVAL);
    EXPECT_EQ(untouched, &block);
    ExpectThreshold(HAKMEM_ENTRY_POSIX_MEMALIGN, 100, 4, EINVAL);
    EXPECT_NE(Text(Last()).find("a multiple of 8"), std::string::npos);
    EXPECT_EQ(pvalloc(Opaque(SIZE_MAX)), nullptr);
    EXPECT_EQ(Last().entry, HAKMEM_ENTRY_PVALLOC);
    EXPECT_EQ(operator new(Opaque(kImpossible), std::nothrow), nullptr);
    ExpectThreshold(HAKMEM_ENTRY_NEW, kImpossible, 0, ENOMEM);
    EXPECT_THROW(
        Opaque(::operator new(Opaque(kImpossible), std::align_val_t(64))),
        std::bad_alloc);
    ExpectThreshold(HAKMEM_ENTRY_NEW_ALIGNED, kImpossible, 64, ENOMEM);
    EXPECT_GE(Stats().failures_threshold, 10u);
    EXPECT_EQ(Stats().failures_mapfail, 0u);
  });
}

TEST_F(FailureCausesTest, AnAddressSpaceLimitIsNamed) {
  InChild([] {
    LimitAddressSpace(64 * kMiB);
    rlimit limit;
    getrlimit(RLIMIT_AS, &limit);
    EXPECT_EQ(malloc(Opaque(256 * kMiB)), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    const hakmem_failure_t failure = Last();
    EXPECT_EQ(failure.cause, HAKMEM_CAUSE_MAPFAIL);
    EXPECT_EQ(failure.subcause, HAKMEM_SUBCAUSE_RLIMIT_AS);
    EXPECT_EQ(failure.layer, HAKMEM_LAYER_LARGE);
    EXPECT_EQ(failure.entry, HAKMEM_ENTRY_MALLOC);
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

TEST_F(FailureCausesTest, BlocksOfAnySizeTellWhyThereAreNoMore) {
  for (const size_t size : {size_t{64}, size_t{1000}, 20 * kKiB, 300 * kKiB}) {
    InChild([size] {
      LimitAddressSpace(64 * kMiB);
      BlockChain blocks;
      while (void* block = malloc(size)) blocks.Push(block);
      const hakmem_failure_t failure = Last();
      EXPECT_EQ(failure.cause, HAKMEM_CAUSE_MAPFAIL) << size;
      EXPECT_EQ(failure.subcause, HAKMEM_SUBCAUSE_RLIMIT_AS) << size;
      EXPECT_EQ(failure.size, size);
      while (void* block = blocks.Pop()) free(block);
    });
  }
}

TEST_F(FailureCausesTest, ADataLimitIsNamed) {
  InChild([] {
    rlimit limit;
    getrlimit(RLIMIT_DATA, &limit);
    limit.rlim_cur = 64 * kMiB;
    ASSERT_EQ(setrlimit(RLIMIT_DATA, &limit), 0);
    EXPECT_EQ(malloc(Opaque(256 * kMiB)), nullptr);
    const hakmem_failure_t failure = Last();
    EXPECT_EQ(failure.cause, HAKMEM_CAUSE_MAPFAIL);
    EXPECT_EQ(failure.subcause, HAKMEM_SUBCAUSE_RLIMIT_DATA);
    EXPECT_EQ(failure.evidence_limit, 64 * kMiB);
    EXPECT_GT(failure.evidence_used, 0u);
    EXPECT_NE(Text(failure).find("raise RLIMIT_DATA (ulimit -d) from 64 MiB"),
              std::string::npos)
        << Text(failure);
  });
}

TEST_F(FailureCausesTest, MoreThanTheAddressSpaceOfAnyProcessIsNamed) {
  InChild([] {
    EXPECT_EQ(malloc(Opaque(size_t{1} << 60)), nullptr);
    EXPECT_EQ(Last().cause, HAKMEM_CAUSE_MAPFAIL);
    EXPECT_EQ(Last().subcause, HAKMEM_SUBCAUSE_ADDRESS_SPACE);
  });
}

TEST_F(FailureCausesTest, TheMappingCountIsNamed) {
  size_t most = 0;
  std::ifstream("/proc/sys/vm/max_map_count") >> most;
  if (most == 0 || most > 300'000) GTEST_SKIP() << most << " mappings";
  InChild([most] {
    // Changes the access of every second page, until no mapping is left.
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
    EXPECT_EQ(failure.cause, HAKMEM_CAUSE_MAPFAIL);
    EXPECT_EQ(failure.subcause, HAKMEM_SUBCAUSE_MAX_MAP_COUNT);
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
  fprintf(stderr, "%s %s %s %d %s\n",
          Hakmem().failure_cause_name(failure.cause),
          Hakmem().failure_subcause_name(failure.subcause),
          Hakmem().failure_layer_name(failure.layer),
          failure.limit_bytes == 16 * kMiB, Text(failure).c_str());
  const bool full = failure.live_bytes + failure.cached_bytes > 15 * kMiB;
  const bool counted = Stats().failures_exhaustion == 1;
  return full && counted ? 0 : 3;
}
const ChildProgram fill_the_pool("fill_the_pool", FillThePool);

TEST_F(FailureCausesTest, ThePoolsLimitIsNamed) {
  if (!HasAce()) GTEST_SKIP() << "no pool in this library";
  const ChildResult child =
      RunChildProgram("fill_the_pool", {{"HAKMEM_ACE_LIMIT_MB", "16"}});
  EXPECT_EQ(child.exit_code, 0);
  EXPECT_EQ(child.err.rfind("Exhaustion none ace 1 ", 0), 0u) << child.err;
  EXPECT_NE(child.err.find("raise HAKMEM_ACE_LIMIT_MB from 16\n"),
            std::string::npos)
      << child.err;
}

TEST_F(FailureCausesTest, AnImpossibleAlignmentIsNamedWithTheBytesItTakes) {
  for (const size_t alignment :
       {size_t{1} << 62, size_t{1} << 50, size_t{1} << 48}) {
    InChild([alignment] {
      EXPECT_EQ(aligned_alloc(Opaque(alignment), 100), nullptr);
      const hakmem_failure_t failure = Last();
      EXPECT_EQ(failure.cause, HAKMEM_CAUSE_MAPFAIL);
      EXPECT_EQ(failure.subcause, HAKMEM_SUBCAUSE_ADDRESS_SPACE);
      EXPECT_EQ(failure.alignment, alignment);
      EXPECT_GE(failure.os_bytes, alignment);
      EXPECT_NE(Text(failure).find(" aligned to "), std::string::npos);
    });
  }
}

TEST_F(FailureCausesTest, LockedMemoryIsNamed) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may lock much";
  InChild([] {
    rlimit limit;
    ASSERT_EQ(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 8 * kMiB);
    ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    // Drops the right to lock memory beyond the limit.
    if (setresgid(65534, 65534, 65534) != 0 ||
        setresuid(65534, 65534, 65534) != 0 || mlockall(MCL_FUTURE) != 0) {
      return;
    }
    EXPECT_EQ(malloc(Opaque(512 * kMiB)), nullptr);
    const hakmem_failure_t failure = Last();
    EXPECT_EQ(failure.cause, HAKMEM_CAUSE_MAPFAIL);
    EXPECT_EQ(failure.subcause, HAKMEM_SUBCAUSE_RLIMIT_MEMLOCK);
    EXPECT_EQ(failure.error, EAGAIN);
    EXPECT_EQ(failure.evidence_limit, limit.rlim_cur);
    EXPECT_NE(Text(failure).find("raise RLIMIT_MEMLOCK (ulimit -l) from "),
              std::string::npos)
        << Text(failure);
  });
}

TEST_F(FailureCausesTest, WithoutProcItIsUnknownAndTheProgramLives) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may chroot";
  std::string folder = testing::TempDir() + "/failures_test_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  InChild([&folder] {
    LimitAddressSpace(64 * kMiB);
    rlimit limit;
    getrlimit(RLIMIT_AS, &limit);
    if (chroot(folder.c_str()) != 0) return;
    // The library asks for whole chunks.
    EXPECT_EQ(malloc(Opaque(limit.rlim_cur - 4 * kMiB)), nullptr);
    EXPECT_EQ(Last().cause, HAKMEM_CAUSE_MAPFAIL);
    EXPECT_EQ(Last().subcause, HAKMEM_SUBCAUSE_UNKNOWN);
    // The request alone exceeds the limit.
    EXPECT_EQ(malloc(Opaque(limit.rlim_cur + kMiB)), nullptr);
    EXPECT_EQ(Last().subcause, HAKMEM_SUBCAUSE_RLIMIT_AS);
    EXPECT_NE(Text(Last()).find("that alone is more than the limit"),
              std::string::npos)
        << Text(Last());
    void* block = malloc(1000);
    EXPECT_NE(block, nullptr);
    free(block);
  });
  rmdir(folder.c_str());
}

}  // namespace
}  // namespace hakmem_test
