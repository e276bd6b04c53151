// Runs the rate limit under every interleaving of three threads, with memory as
// weak as C11 allows (testing/interleaver): exactly as many pass as may, and
// the others are counted.

#include <gtest/gtest.h>

#include <memory>

// First the replacements for std::atomic.
#include "tests/interleaving/in_place_of_std.h"
//
#include "tracing/failures/rate_limit.h"

namespace hakmem {
namespace {

using interleaver::Explore;
using interleaver::Require;
using interleaver::Result;
using interleaver::Threads;

TEST(RateLimitModel, LetsExactlySoManyPass) {
  std::unique_ptr<RateLimit> limit;
  int passed[3];
  const Result result = Explore(
      [&] {
        limit = std::make_unique<RateLimit>(2);
        const auto pass = [&](int thread) {
          passed[thread] = limit->Pass(1) ? 1 : 0;
        };
        return Threads{[=] { pass(0); }, [=] { pass(1); }, [=] { pass(2); }};
      },
      [&] {
        Require(passed[0] + passed[1] + passed[2] == 2, "not two passed");
        Require(limit->TakeLeftOut() == 1, "not counted");
      });
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
}

}  // namespace
}  // namespace hakmem
