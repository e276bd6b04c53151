#include "base/os/thread_exit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace hakmem {
namespace {

std::atomic<int> exits{0};

void OnExit(void* state) { exits += *static_cast<int*>(state); }

TEST(ThreadExit, IsNotifiedOfEachWatchedThreadOnce) {
  ASSERT_TRUE(InitThreadExit(&OnExit));
  int one = 1;
  int ten = 10;
  std::thread([&] { WatchThreadExit(&one); }).join();
  std::thread([&] { WatchThreadExit(&ten); }).join();
  std::thread([] {}).join();
  EXPECT_EQ(exits, 11);
}

}  // namespace
}  // namespace hakmem
