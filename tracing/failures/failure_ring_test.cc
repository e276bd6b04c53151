#include "tracing/failures/failure_ring.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace hakmem {
namespace {

// A record in which every field holds the same number.
hakmem_failure_t RecordOf(uint64_t number) {
  hakmem_failure_t record = {};
  record.time_ns = record.size = record.alignment = record.class_bytes =
      record.live_bytes = record.cached_bytes = record.limit_bytes =
          record.os_bytes = record.evidence_used = record.evidence_limit =
              number;
  record.error = static_cast<int32_t>(number);
  return record;
}

bool IsWhole(const hakmem_failure_t& r) {
  const uint64_t n = r.time_ns;
  return r.size == n && r.alignment == n && r.class_bytes == n &&
         r.live_bytes == n && r.cached_bytes == n && r.limit_bytes == n &&
         r.os_bytes == n && r.evidence_used == n && r.evidence_limit == n &&
         r.error == static_cast<int32_t>(n);
}

void Add(FailureRing& ring, uint64_t number) {
  hakmem_failure_t record = RecordOf(number);
  ring.Add(&record);
}

std::vector<hakmem_failure_t> All(const FailureRing& ring) {
  std::vector<hakmem_failure_t> all;
  const size_t count =
      ring.ForEach([&](const hakmem_failure_t& r) { all.push_back(r); });
  EXPECT_EQ(count, all.size());
  return all;
}

TEST(FailureRing, StartsEmpty) {
  FailureRing ring;
  hakmem_failure_t record;
  EXPECT_FALSE(ring.Last(&record));
  EXPECT_TRUE(All(ring).empty());
  EXPECT_EQ(ring.lost(), 0u);
}

TEST(FailureRing, GivesOldestFirstAndTheLast) {
  FailureRing ring;
  for (uint64_t i = 1; i <= 3; ++i) Add(ring, i);
  const std::vector<hakmem_failure_t> all = All(ring);
  ASSERT_EQ(all.size(), 3u);
  for (uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(all[i].sequence, i + 1);
    EXPECT_EQ(all[i].size, i + 1);
  }
  hakmem_failure_t record;
  ASSERT_TRUE(ring.Last(&record));
  EXPECT_EQ(record.size, 3u);
}

TEST(FailureRing, FullItKeepsTheNewestAndCountsTheRest) {
  FailureRing ring;
  const uint64_t count = 3 * FailureRing::kRecords + 7;
  for (uint64_t i = 1; i <= count; ++i) Add(ring, i);
  const std::vector<hakmem_failure_t> all = All(ring);
  ASSERT_EQ(all.size(), FailureRing::kRecords);
  EXPECT_EQ(all.front().size, count - FailureRing::kRecords + 1);
  EXPECT_EQ(all.back().size, count);
  EXPECT_EQ(ring.lost(), count - FailureRing::kRecords);
}

TEST(FailureRing, ARecordIsAmendedOnceWhileItIsThere) {
  FailureRing ring;
  Add(ring, 1);
  hakmem_failure_t record;
  ASSERT_TRUE(ring.Last(&record));
  record.evidence_used = 7;
  ring.Amend(record);
  hakmem_failure_t again;
  ASSERT_TRUE(ring.Last(&again));
  EXPECT_EQ(again.evidence_used, 7u);
  EXPECT_EQ(again.size, 1u);
  record.evidence_used = 8;
  ring.Amend(record);
  ASSERT_TRUE(ring.Last(&again));
  EXPECT_EQ(again.evidence_used, 7u);
  EXPECT_EQ(ring.lost(), 0u);
  // Its slot takes new records as before, and Amend leaves those alone.
  for (uint64_t i = 0; i < FailureRing::kRecords; ++i) Add(ring, 10 + i);
  ring.Amend(record);
  EXPECT_EQ(All(ring).size(), FailureRing::kRecords);
  EXPECT_TRUE(ring.Last(&again));
  EXPECT_TRUE(IsWhole(again));
  EXPECT_EQ(ring.lost(), 1u);
  EXPECT_EQ(ring.added(), FailureRing::kRecords + 1);
}

TEST(FailureRing, WritersAndReadersRaceWithoutTornRecords) {
  const auto ring = std::make_unique<FailureRing>();
  constexpr uint64_t kWriters = 3;
  constexpr uint64_t kEach = 20'000;
  std::atomic<bool> done = false;
  std::atomic<uint64_t> torn = 0;
  std::atomic<uint64_t> read = 0;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kWriters; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < kEach; ++i) Add(*ring, t * kEach + i);
    });
  }
  std::thread reader([&] {
    do {
      uint64_t last_sequence = 0;
      ring->ForEach([&](const hakmem_failure_t& r) {
        if (!IsWhole(r) || r.sequence <= last_sequence) ++torn;
        last_sequence = r.sequence;
        ++read;
      });
      hakmem_failure_t record;
      if (ring->Last(&record) && !IsWhole(record)) ++torn;
    } while (!done);
  });
  for (std::thread& thread : threads) thread.join();
  done = true;
  reader.join();
  EXPECT_EQ(torn, 0u);
  EXPECT_GT(read, 0u);
  // Every record is accounted for, also those of overtaken writers.
  EXPECT_EQ(All(*ring).size() + ring->lost(), kWriters * kEach);
}

constinit FailureRing signalled_ring;
constinit std::atomic<uint64_t> signals{0};

void AddInHandler(int) {
  ++signals;
  Add(signalled_ring, 1'000'000 + signals);
}

TEST(FailureRing, AHandlerMayAddWhileItsThreadAdds) {
  struct sigaction action = {};
  action.sa_handler = AddInHandler;
  ASSERT_EQ(sigaction(SIGALRM, &action, nullptr), 0);
  const itimerval every = {{0, 50}, {0, 50}};
  ASSERT_EQ(setitimer(ITIMER_REAL, &every, nullptr), 0);
  uint64_t added = 0;
  while (signals < 500) Add(signalled_ring, ++added);
  const itimerval never = {};
  setitimer(ITIMER_REAL, &never, nullptr);
  signal(SIGALRM, SIG_IGN);
  for (const hakmem_failure_t& record : All(signalled_ring)) {
    EXPECT_TRUE(IsWhole(record)) << record.sequence;
  }
  Add(signalled_ring, 42);
  hakmem_failure_t record;
  ASSERT_TRUE(signalled_ring.Last(&record));
  EXPECT_EQ(record.size, 42u);
}

TEST(FailureRing, AChildForkedAmidWritesGoesOn) {
  const auto ring = std::make_unique<FailureRing>();
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (uint64_t i = 0; !done; ++i) Add(*ring, i);
  });
  for (int round = 0; round < 20; ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      // Slots that the writer held stay blocked; all else works.
      for (uint64_t i = 1; i <= 1000; ++i) {
        Add(*ring, i);
        hakmem_failure_t record;
        if (!ring->Last(&record) || record.size != i) _exit(1);
      }
      size_t count = 0;
      ring->ForEach([&](const hakmem_failure_t& r) {
        if (!IsWhole(r)) _exit(2);
        ++count;
      });
      _exit(count >= FailureRing::kRecords - 1 ? 0 : 3);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
  done = true;
  writer.join();
}

}  // namespace
}  // namespace hakmem
