// Limits on memory rather than addresses: RLIMIT_DATA, which counts committed
// memory, touched or not, as vm.overcommit_memory=2 does; and a cgroup's memory
// limit, which counts touched memory.
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

constexpr size_t kLimit = 96 * kMiB;

size_t DataBytes() {
  size_t kib = 0;
  FILE* status = fopen("/proc/self/status", "re");
  char line[256];
  while (fgets(line, sizeof(line), status) != nullptr) {
    if (sscanf(line, "VmData: %zu", &kib) == 1) break;
  }
  fclose(status);
  return kib * kKiB;
}

// Returns the usable bytes of the blocks, which may exceed what was requested.
size_t FillUp(size_t size, BlockChain* blocks) {
  errno = 0;
  size_t bytes = 0;
  while (void* block = malloc(size)) {
    bytes += malloc_usable_size(block);
    blocks->Push(block);
  }
  EXPECT_EQ(errno, ENOMEM) << size;
  return bytes;
}

void FreeAll(BlockChain* blocks) {
  while (void* block = blocks->Pop()) free(block);
}

class DataLimitTest : public testing::TestWithParam<size_t> {};

TEST_P(DataLimitTest, ReachedReportedAndOutlived) {
  const size_t size = GetParam();
  const ChildResult child = RunForked([size] {
    const rlimit limit = {DataBytes() + kLimit, RLIM_INFINITY};
    ASSERT_EQ(setrlimit(RLIMIT_DATA, &limit), 0);
    BlockChain blocks;
    const size_t first = FillUp(size, &blocks);
    EXPECT_GE(first, kLimit / 2);
    EXPECT_LE(first, kLimit + 8 * kMiB);
    hakmem_failure_t failure = {};
    ASSERT_EQ(Hakmem().last_failure(&failure, sizeof(failure)), 1);
    EXPECT_EQ(failure.cause, HAKMEM_CAUSE_MAPFAIL);
    EXPECT_EQ(failure.subcause, HAKMEM_SUBCAUSE_RLIMIT_DATA);

    FreeAll(&blocks);
    // Free memory counts until it is unmapped, so it must be for another kind.
    void* half = malloc(kLimit / 2);
    EXPECT_NE(half, nullptr) << "a block of half the limit after " << size;
    free(half);
    for (const size_t other : {size_t{64}, 3 * kKiB, 20 * kKiB, 3 * kMiB}) {
      EXPECT_GE(FillUp(other, &blocks), kLimit / 10 * 9)
          << other << " after " << size;
      FreeAll(&blocks);
    }
    EXPECT_GE(FillUp(size, &blocks), kLimit / 10 * 9);
    FreeAll(&blocks);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
  EXPECT_EQ(child.signal, 0);
}

INSTANTIATE_TEST_SUITE_P(EveryKind, DataLimitTest,
                         testing::Values(64, 1000, 3 * kKiB, 20 * kKiB,
                                         3 * kMiB));

// --- cgroups -----------------------------------------------------------------

bool WriteTo(const std::string& path, const std::string& text) {
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const ssize_t written = write(file, text.data(), text.size());
  close(file);
  return written == static_cast<ssize_t>(text.size());
}

// A cgroup of this test's own, with a memory limit; none where the system does
// not permit it. Version 2 only if its root has the memory controller, which
// belongs to one version at a time.
class MemoryCgroup {
 public:
  explicit MemoryCgroup(size_t limit) {
    const std::string name = "/hakmem_test_" + std::to_string(getpid());
    struct {
      const char* root;
      const char* limit_file;
    } const versions[] = {
        {"/sys/fs/cgroup/memory", "/memory.limit_in_bytes"},
        {"/sys/fs/cgroup", "/memory.max"},
    };
    for (const auto& version : versions) {
      const std::string path = version.root + name;
      if (mkdir(path.c_str(), 0755) != 0) continue;
      path_ = path;
      if (WriteTo(path + version.limit_file, std::to_string(limit))) return;
      rmdir(path.c_str());
      path_.clear();
    }
  }
  ~MemoryCgroup() {
    if (!path_.empty()) rmdir(path_.c_str());
  }
  MemoryCgroup(const MemoryCgroup&) = delete;
  MemoryCgroup& operator=(const MemoryCgroup&) = delete;

  bool exists() const { return !path_.empty(); }
  bool Enter() const {
    return WriteTo(path_ + "/cgroup.procs", std::to_string(getpid()));
  }

 private:
  std::string path_;
};

// Touches two thirds of the limit, frees it, and repeats with another kind. If
// the memory has not been purged by then, the kernel kills the process, as it
// does when a cgroup is full.
TEST(CgroupTest, MemoryOfOneKindServesAnother) {
  const MemoryCgroup cgroup(kLimit);
  if (!cgroup.exists()) {
    GTEST_SKIP() << "no cgroup with a memory limit can be made here: neither "
                    "/sys/fs/cgroup/memory (version 1) nor /sys/fs/cgroup "
                    "(version 2) lets us";
  }
  const ChildResult child = RunForked([&cgroup] {
    ASSERT_TRUE(cgroup.Enter());
    for (int round = 0; round < 3; ++round) {
      for (const size_t size :
           {size_t{64}, 3 * kKiB, 20 * kKiB, 300 * kKiB, 3 * kMiB}) {
        BlockChain blocks;
        while (blocks.count() * size < kLimit / 3 * 2) {
          void* block = malloc(size);
          ASSERT_NE(block, nullptr) << size;
          memset(block, 1, size);
          blocks.Push(block);
        }
        FreeAll(&blocks);
        Hakmem().collect();
      }
    }
  });
  EXPECT_EQ(child.signal, 0)
      << (child.signal == SIGKILL ? "out of memory" : "");
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

}  // namespace
}  // namespace hakmem_test
