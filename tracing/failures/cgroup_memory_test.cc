#include "tracing/failures/cgroup_memory.h"

#include <gtest/gtest.h>

#include <string>

#include "tracing/failures/fake_system_test_helper.h"

namespace hakmem {
namespace {

constexpr char kCgroup[] = "/proc/thread-self/cgroup";

class CgroupMemoryTest : public testing::Test {
 protected:
  void WriteLevel2(const std::string& folder, const std::string& limit,
                   const std::string& used) {
    system_.Write("/sys/fs/cgroup" + folder + "/memory.max", limit + "\n");
    system_.Write("/sys/fs/cgroup" + folder + "/memory.current", used + "\n");
  }

  CgroupMemory Find() { return FindCgroupMemory(system_.root()); }

  FakeSystem system_;
};

TEST_F(CgroupMemoryTest, WithoutACgroupThereIsNoLimit) {
  EXPECT_EQ(Find().version, 0);
  system_.Write(kCgroup, "0::/\n");
  EXPECT_EQ(Find().version, 0);
}

TEST_F(CgroupMemoryTest, FindsVersion2AtTheRootOfAContainer) {
  system_.Write(kCgroup, "0::/\n");
  WriteLevel2("", "536870912", "535822336");
  system_.Write("/sys/fs/cgroup/memory.stat", "anon 1\nfile 4096\n");
  const CgroupMemory memory = Find();
  EXPECT_EQ(memory.version, 2);
  EXPECT_EQ(memory.limit, 536870912u);
  EXPECT_EQ(memory.used, 535822336u);
  EXPECT_EQ(memory.files, 4096u);
}

TEST_F(CgroupMemoryTest, TheTightestOfAllLevelsCounts) {
  system_.Write(kCgroup, "12:cpu:/elsewhere\n0::/a/b/c");
  WriteLevel2("/a/b/c", "max", "10");
  WriteLevel2("/a/b", "1000", "900");
  WriteLevel2("/a", "950", "940");
  CgroupMemory memory = Find();
  EXPECT_EQ(memory.version, 2);
  EXPECT_EQ(memory.limit, 950u);
  EXPECT_EQ(memory.used, 940u);
  // Use above the limit, after the limit was lowered: nothing is left.
  WriteLevel2("/a/b/c", "100", "2000");
  memory = Find();
  EXPECT_EQ(memory.limit, 100u);
  EXPECT_EQ(memory.used, 2000u);
}

TEST_F(CgroupMemoryTest, FindsVersion1) {
  system_.Write(kCgroup,
                "4:cpu,memoryless:/x\n3:hugetlb,memory,cpuset:/docker/1\n"
                "1:name=systemd:/\n0::/\n");
  const std::string folder = "/sys/fs/cgroup/memory/docker/1";
  system_.Write(folder + "/memory.limit_in_bytes", "1000\n");
  system_.Write(folder + "/memory.usage_in_bytes", "990\n");
  system_.Write(folder + "/memory.stat", "cache 1\ntotal_cache 77\n");
  system_.Write("/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712\n");
  system_.Write("/sys/fs/cgroup/memory/memory.usage_in_bytes", "5000\n");
  const CgroupMemory memory = Find();
  EXPECT_EQ(memory.version, 1);
  EXPECT_EQ(memory.limit, 1000u);
  EXPECT_EQ(memory.used, 990u);
  EXPECT_EQ(memory.files, 77u);
}

TEST_F(CgroupMemoryTest, APathOutsideTheContainerStillFindsTheMount) {
  // Docker mounts the container's own cgroup; the path is the host's.
  system_.Write(kCgroup, "5:memory:/docker/0123456789abcdef\n");
  system_.Write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "1000\n");
  system_.Write("/sys/fs/cgroup/memory/memory.usage_in_bytes", "7\n");
  EXPECT_EQ(Find().version, 1);
  EXPECT_EQ(Find().limit, 1000u);
}

TEST_F(CgroupMemoryTest, OddLinesAreLeftOut) {
  WriteLevel2("", "1000", "990");
  system_.Write(kCgroup, std::string("\n7\n5:memory\0memory\n0::/\n", 24));
  EXPECT_EQ(Find().version, 2);
}

TEST_F(CgroupMemoryTest, ABrokenFileExplainsNothing) {
  WriteLevel2("", "1000", "990");
  for (const std::string& text :
       {std::string(), std::string("0"), std::string("0:"), std::string("0::"),
        std::string("\n\n\n"), std::string("garbage without colons\n"),
        "0::/" + std::string(5000, 'x') + "\n"}) {
    system_.Write(kCgroup, text);
    const CgroupMemory memory = Find();  // must return, and read nothing
                                         // invalid
    if (memory.version != 0) {
      EXPECT_EQ(memory.limit, 1000u) << text.substr(0, 20);
    }
  }
  system_.Write(kCgroup, "0::/\n");
  WriteLevel2("", "1000", "");
  EXPECT_EQ(Find().version, 0);
  WriteLevel2("", "10x00", "5");
  EXPECT_EQ(Find().limit, 10u);
  system_.MakeUnreadable("/sys/fs/cgroup/memory.max");
  EXPECT_EQ(Find().version, 0);
  system_.MakeUnreadable(kCgroup);
  EXPECT_EQ(Find().version, 0);
}

}  // namespace
}  // namespace hakmem
