#include "tracing/failures/rate_limit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace hakmem {
namespace {

TEST(RateLimit, LetsAFewASecondPassAndCountsTheRest) {
  RateLimit limit(3);
  EXPECT_TRUE(limit.Pass(500));
  EXPECT_TRUE(limit.Pass(501));
  EXPECT_EQ(limit.TakeLeftOut(), 0u);
  EXPECT_TRUE(limit.Pass(1499));
  EXPECT_FALSE(limit.Pass(1499));
  EXPECT_FALSE(limit.Pass(1499));
  EXPECT_TRUE(limit.Pass(1500));
  EXPECT_EQ(limit.TakeLeftOut(), 2u);
  EXPECT_EQ(limit.TakeLeftOut(), 0u);
}

TEST(RateLimit, ThreadsShareIt) {
  RateLimit limit(10);
  std::atomic<int> passed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) passed += limit.Pass(77) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(passed, 10);
  EXPECT_EQ(limit.TakeLeftOut(), 3990u);
}

}  // namespace
}  // namespace hakmem
