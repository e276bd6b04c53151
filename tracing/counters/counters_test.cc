#include "tracing/counters/counters.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace hakmem {
namespace {

TEST(Counters, SumOverThreads) {
  const uint64_t before = CountOf(Event::kPurge);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 10'000; ++i) Count(Event::kPurge);
      Count(Event::kPurge, 5);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(CountOf(Event::kPurge) - before, kTracing ? 40'020u : 0u);
}

TEST(Counters, EventsAreApart) {
  const uint64_t before = CountOf(Event::kDrain);
  Count(Event::kRefill);
  EXPECT_EQ(CountOf(Event::kDrain), before);
}

}  // namespace
}  // namespace hakmem
