#include "tracing/profile/profile.h"

#include <cerrno>
#include <cstdint>
#include <thread>
#include <vector>

#include "base/build_config.h"
#include "gtest/gtest.h"

namespace hakmem {
namespace {

// Records a block, as an allocation function would for its caller.
[[gnu::noinline]] bool RecordHere(uintptr_t address) {
  const bool is_recorded =
      Profile::Record(address, 64, 64, __builtin_return_address(0));
  asm volatile("");  // no tail call
  return is_recorded;
}

class ProfileTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!kTracing) GTEST_SKIP();
    ASSERT_EQ(Profile::Start(1), 0);
  }
  void TearDown() override {
    if (kTracing) Profile::Stop();
  }
};

TEST_F(ProfileTest, IsOnOnce) {
  EXPECT_EQ(Profile::Start(1), EBUSY);
  Profile::Stop();
  EXPECT_EQ(Profile::Start(0), EINVAL);
  EXPECT_EQ(Profile::Start(Profile::kMaxRate + 1), EINVAL);
  EXPECT_FALSE(RecordHere(0x10000));
  EXPECT_EQ(Profile::Start(Profile::kMaxRate), 0);
  EXPECT_EQ(Profile::Rate(), Profile::kMaxRate);
}

TEST_F(ProfileTest, ABlockIsKnownUntilItIsForgotten) {
  ASSERT_TRUE(RecordHere(0x20000));
  EXPECT_EQ(Profile::UsableAt(0x20000), 64u);
  EXPECT_EQ(Profile::UsableAt(0x30000), 0u);
  const Profile::Sample taken = Profile::Take(0x20000);
  EXPECT_EQ(Profile::UsableAt(0x20000), 0u);
  Profile::PutBack(taken);
  EXPECT_EQ(Profile::UsableAt(0x20000), 64u);
  Profile::Stop();
  Profile::Forget(0x20000);
  EXPECT_EQ(Profile::UsableAt(0x20000), 0u);
}

// The site of the block that was recorded last.
LiveTable::Index SiteCount() { return Profile::Sum().sites; }

[[gnu::noinline]] void RecordFromLoop(int times) {
  for (int i = 0; i < times; ++i) {
    RecordHere(0x100000 + static_cast<uintptr_t>(i) * 4096);
  }
}
[[gnu::noinline]] void OtherCaller(int times) {
  RecordFromLoop(times);
  asm volatile("");
}

// With a variable frame: the same return addresses at other places.
[[gnu::noinline]] void WithRoom(size_t bytes) {
  volatile char* const room = static_cast<char*>(__builtin_alloca(bytes));
  room[0] = 1;
  RecordFromLoop(10);
  room[bytes - 1] = 1;
}

TEST_F(ProfileTest, RememberedStacksAreThoseThatTheUnwinderFinds) {
  // The compiler may have made several calls of the loop's.
  const LiveTable::Index before = SiteCount();
  for (int i = 0; i < 100; ++i) RecordFromLoop(10);
  const LiveTable::Index calls = SiteCount() - before;
  EXPECT_GE(calls, 1u);
  EXPECT_LE(calls, 10u);
  for (int i = 0; i < 100; ++i) OtherCaller(10);
  EXPECT_LE(SiteCount() - before, 2 * calls);
  EXPECT_GT(SiteCount() - before, calls);
  const LiveTable::Index then = SiteCount();
  for (size_t room = 16; room < 2000; room += 16) WithRoom(room);
  EXPECT_LE(SiteCount() - then, calls);
  // Each is whole: it leads to this function.
  for (LiveTable::Index i = before; i < SiteCount(); ++i) {
    StackTrace stack;
    LiveTable::Totals totals;
    Profile::ReadSite(i, &stack, &totals);
    EXPECT_GT(stack.count, 3u);
    EXPECT_GT(totals.allocated.bytes, 0u);
  }
}

TEST_F(ProfileTest, ThreadsMayRecordAndForgetAtOnce) {
  const uint64_t before = Profile::Sum().all.live.bytes;
  std::vector<std::thread> threads;
  for (uintptr_t t = 1; t <= 4; ++t) {
    threads.emplace_back([t] {
      for (uintptr_t i = 0; i < 20000; ++i) {
        const uintptr_t address = (t << 40) + (i % 100) * 4096;
        ASSERT_TRUE(RecordHere(address));
        ASSERT_EQ(Profile::UsableAt(address), 64u);
        Profile::Forget(address);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Profile::Sum().all.live.bytes, before);
}

}  // namespace
}  // namespace hakmem
