// Runs the ring of failure records under every interleaving of writers and a
// reader, on a memory as weak as C11's (testing/interleaver): what a reader is
// given was added so, whole.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

// First what takes the place of atomics.
#include "testing/interleaver/in_place_of_std.h"
//
#include "testing/interleaver/mutants.h"
#include "tracing/failure_ring.cc"

namespace hakmem {
namespace {

using interleaver::Explore;
using interleaver::Options;
using interleaver::Require;
using interleaver::Result;
using interleaver::Threads;

using Ring = BasicFailureRing<1>;

FailureRecord Record(uint64_t n) {
  FailureRecord record = {};
  record.time_ns = n;
  record.bytes = n;
  record.evidence_limit = n;
  record.thread = static_cast<uint32_t>(n);
  return record;
}

void RequireWhole(const FailureRecord& record) {
  const uint64_t n = record.time_ns;
  Require(n != 0 && record.bytes == n && record.evidence_limit == n &&
              record.thread == n,
          "a record is mixed from two");
}

class FailureRingModel : public testing::Test {
 protected:
  // `writers` overwrite the one record that there is, beside a reader.
  Result ReadWhileOverwritten(int writers, const Options& options) {
    return Explore(
        [=, this] {
          ring_ = std::make_unique<Ring>();
          Ring* ring = ring_.get();
          FailureRecord first = Record(1);
          ring->Add(&first);
          Threads threads{[=, this] { read_ += ring->ForEach(RequireWhole); }};
          for (int w = 0; w < writers; ++w) {
            threads.push_back([=] {
              FailureRecord record = Record(2 + w);
              ring->Add(&record);
            });
          }
          return threads;
        },
        [this] {
          FailureRecord last;
          Require(ring_->Last(&last) || ring_->lost() != 0,
                  "a record is lost and not counted");
        },
        options);
  }

  std::unique_ptr<Ring> ring_;
  size_t read_ = 0;
};

TEST_F(FailureRingModel, AReaderSeesWholeRecordsOnly) {
  const Result result = ReadWhileOverwritten(1, {});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
  EXPECT_GT(read_, 0u);
}

TEST_F(FailureRingModel, TwoWritersDoNotMixTheirRecords) {
  const Result result = ReadWhileOverwritten(2, {});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 100);
}

TEST_F(FailureRingModel, NeedsItsMemoryOrders) {
  const auto explore = [this](const Options& options) {
    Options bounded = options;
    return ReadWhileOverwritten(1, bounded);
  };
  EXPECT_THAT(interleaver::WeakenEach("failure_ring.cc", explore).texts,
              testing::ElementsAre());
}

}  // namespace
}  // namespace hakmem
