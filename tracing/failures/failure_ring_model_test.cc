// Runs the ring of failure records under every interleaving of writers and a
// reader, with memory as weak as C11 allows (testing/interleaver): each record
// that a reader gets was added exactly so, whole.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

// First the replacements for std::atomic.
#include "tests/interleaving/in_place_of_std.h"
//
#include "tests/interleaving/mutants.h"
#include "tracing/failures/failure_ring.h"

namespace hakmem {
namespace {

using interleaver::Explore;
using interleaver::Options;
using interleaver::Require;
using interleaver::Result;
using interleaver::Threads;

// Enough words for mix-ups.
struct Record {
  uint64_t sequence;
  uint64_t first;
  uint64_t second;
};

using Ring = BasicFailureRing<Record, 1>;

Record Make(uint64_t n) { return {0, n, n}; }

void RequireWhole(const Record& record) {
  Require(record.first != 0 && record.second == record.first,
          "a record is mixed from two");
}

class FailureRingModel : public testing::Test {
 protected:
  // `writers` overwrite the only record, beside a reader.
  Result ReadWhileOverwritten(int writers, const Options& options) {
    return Explore(
        [=, this] {
          ring_ = std::make_unique<Ring>();
          Ring* ring = ring_.get();
          Record first = Make(1);
          ring->Add(&first);
          Threads threads{[=, this] { read_ += ring->ForEach(RequireWhole); }};
          for (int w = 0; w < writers; ++w) {
            threads.push_back([=] {
              Record record = Make(2 + w);
              ring->Add(&record);
            });
          }
          return threads;
        },
        [this] {
          Record last;
          Require(ring_->Last(&last) || ring_->lost() != 0,
                  "a record is lost and not counted");
        },
        options);
  }

  Result AddTwo(const Options& options);

  std::unique_ptr<Ring> ring_;
  size_t read_ = 0;
  size_t passed_over_ = 0;  // runs that end without a visible record
};

TEST_F(FailureRingModel, AReaderSeesWholeRecordsOnly) {
  const Result result = ReadWhileOverwritten(1, {});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
  EXPECT_GT(read_, 0u);
}

// Two threads add at once, to the same slot; both may find it taken and go on
// to later tickets. In the end each visible record is whole, and the others
// count as lost, including a record whose slot a later ticket has passed over.
Result FailureRingModel::AddTwo(const Options& options) {
  return Explore(
      [this] {
        ring_ = std::make_unique<Ring>();
        Ring* ring = ring_.get();
        const auto add = [=](uint64_t n) {
          Record record = Make(n);
          ring->Add(&record);
        };
        return Threads{[=] { add(1); }, [=] { add(2); }};
      },
      [this] {
        Record last;
        if (ring_->Last(&last)) RequireWhole(last);
        const uint64_t kept = ring_->ForEach(RequireWhole);
        if (kept == 0) ++passed_over_;
        Require(kept + ring_->lost() == 2, "a record is not counted, or twice");
      },
      options);
}

TEST_F(FailureRingModel, TwoWritersDoNotMixTheirRecords) {
  const Result result = AddTwo({});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 17);
  EXPECT_GT(passed_over_, 0u);
}

// Looks up the record and amends it.
void Amend(Ring* ring, uint64_t n) {
  Record record;
  if (!ring->Last(&record)) return;
  RequireWhole(record);
  record.first = record.second = n;
  ring->Amend(record);
}

// Two threads look up the record at once: exactly one result is kept.
TEST_F(FailureRingModel, TwoDoNotMixWhatTheyAmend) {
  const Result result = Explore(
      [this] {
        ring_ = std::make_unique<Ring>();
        Ring* ring = ring_.get();
        Record first = Make(1);
        ring->Add(&first);
        return Threads{[=] { Amend(ring, 10); }, [=] { Amend(ring, 20); }};
      },
      [this] {
        Record last;
        Require(ring_->Last(&last), "the record is gone");
        RequireWhole(last);
        Require(last.first == 10 || last.first == 20, "it was not amended");
        Require(ring_->lost() == 0 && ring_->added() == 1, "it is miscounted");
      },
      {});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
}

TEST_F(FailureRingModel, AReaderSeesAnAmendedRecordWhole) {
  const Result result = Explore(
      [this] {
        ring_ = std::make_unique<Ring>();
        Ring* ring = ring_.get();
        Record first = Make(1);
        ring->Add(&first);
        return Threads{[=] { Amend(ring, 10); },
                       [=, this] { read_ += ring->ForEach(RequireWhole); }};
      },
      [] {}, {});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 20);
  EXPECT_GT(read_, 0u);
}

TEST_F(FailureRingModel, ANewRecordIsNotAmended) {
  const Result result = Explore(
      [this] {
        ring_ = std::make_unique<Ring>();
        Ring* ring = ring_.get();
        Record first = Make(1);
        ring->Add(&first);
        return Threads{[=] {
                         Record record = first;
                         record.first = record.second = 10;
                         ring->Amend(record);
                       },
                       [=] {
                         Record record = Make(2);
                         ring->Add(&record);
                       }};
      },
      [this] {
        Record last;
        if (!ring_->Last(&last)) return Require(ring_->lost() == 2, "lost");
        RequireWhole(last);
        Require(last.sequence == 1 || last.first == 2,
                "a newer record was amended");
      },
      {});
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 10);
}

// All three at once, with few preemptions so that the test is short.
TEST_F(FailureRingModel, AReaderAndTwoWriters) {
  Options options;
  options.most_preemptions = 1;
  const Result result = ReadWhileOverwritten(2, options);
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_GE(result.runs, 100);
}

TEST_F(FailureRingModel, NeedsItsMemoryOrders) {
  const auto read = [this](const Options& options) {
    return ReadWhileOverwritten(1, options);
  };
  const auto add = [this](const Options& options) { return AddTwo(options); };
  const std::vector<std::string> not_for_a_reader =
      interleaver::WeakenEach("failure_ring.h", read).texts;
  EXPECT_THAT(not_for_a_reader,
              testing::ElementsAre(
                  "failure_ring.h compare_exchange acquire -> relaxed"));
  // The next writer depends on it, though.
  EXPECT_THAT(interleaver::WeakenEach("failure_ring.h", add).texts,
              testing::Not(testing::Contains(not_for_a_reader[0])));
}

}  // namespace
}  // namespace hakmem
