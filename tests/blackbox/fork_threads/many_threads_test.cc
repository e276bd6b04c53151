// Very many threads, one after the other and at once.
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iterator>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/busy_threads_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

// Threads with small stacks, all alive at once; joined by the destructor.
class Threads {
 public:
  Threads(size_t count, void* (*run)(void*), void* argument) : threads_(count) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * kKiB);
    for (pthread_t& thread : threads_) {
      if (pthread_create(&thread, &attributes, run, argument) != 0) abort();
    }
    pthread_attr_destroy(&attributes);
  }
  ~Threads() {
    for (const pthread_t thread : threads_) pthread_join(thread, nullptr);
  }

 private:
  std::vector<pthread_t> threads_;
};

// Allocates blocks of each kind, and frees one of another thread's.
void* LiveShortly(void* handed_on) {
  std::mt19937_64 random(pthread_self());
  Held held[30];
  for (Held& h : held) {
    h.size = AnySize(random) / 16;
    h.block = malloc(h.size);
    Fill(h.block, h.size, h.size);
  }
  auto* slot = static_cast<std::atomic<void*>*>(handed_on);
  free(slot->exchange(malloc(AnySize(random) / 16)));
  for (const Held& h : held) {
    if (!Holds(h.block, h.size, h.size)) abort();
    free(h.block);
  }
  return nullptr;
}

constexpr size_t kSizesEach[] = {16, 100, 1000, 3000, 10000, 40000};
constexpr size_t kBytesEach = 16 + 100 + 1000 + 3000 + 10000 + 40000;

struct Meeting {
  pthread_barrier_t all_here;
  pthread_barrier_t all_seen;
};

void* HoldBlocksAtTheMeeting(void* argument) {
  auto* meeting = static_cast<Meeting*>(argument);
  Held held[std::size(kSizesEach)];
  for (size_t i = 0; i < std::size(held); ++i) {
    held[i] = {malloc(kSizesEach[i]), kSizesEach[i]};
    Fill(held[i].block, held[i].size, held[i].size);
  }
  pthread_barrier_wait(&meeting->all_here);
  pthread_barrier_wait(&meeting->all_seen);
  for (const Held& h : held) {
    if (!Holds(h.block, h.size, h.size)) abort();
    free(h.block);
  }
  return nullptr;
}

// Runs `count` threads that all hold their blocks while `look` runs.
template <typename Look>
void Meet(size_t count, const Look& look) {
  Meeting meeting;
  const auto all = static_cast<unsigned>(count + 1);
  pthread_barrier_init(&meeting.all_here, nullptr, all);
  pthread_barrier_init(&meeting.all_seen, nullptr, all);
  {
    Threads threads(count, HoldBlocksAtTheMeeting, &meeting);
    pthread_barrier_wait(&meeting.all_here);
    look();
    pthread_barrier_wait(&meeting.all_seen);
  }
  pthread_barrier_destroy(&meeting.all_here);
  pthread_barrier_destroy(&meeting.all_seen);
}

// A thread that frees blocks on request.
struct Freer {
  pthread_barrier_t begin;
  pthread_barrier_t end;
  std::vector<void*> blocks;
};

void* FreeWhenSignalled(void* argument) {
  auto* freer = static_cast<Freer*>(argument);
  pthread_barrier_wait(&freer->begin);
  for (void* block : freer->blocks) free(block);
  pthread_barrier_wait(&freer->end);
  return nullptr;
}

// When a heap shrinks while threads exist, its metadata does not stay resident:
// those of 512 segments are 18 MiB.
TEST(ManyThreadsTest, AHeapThatShrinksLeavesFewMetadata) {
  constexpr size_t kBlockBytes = 2048;
  constexpr size_t kEach = size_t{512} * kMiB / kBlockBytes;
  std::vector<void*> own(kEach);
  Freer freer;
  freer.blocks.resize(kEach);
  pthread_barrier_init(&freer.begin, nullptr, 2);
  pthread_barrier_init(&freer.end, nullptr, 2);
  {
    Threads threads(1, FreeWhenSignalled, &freer);
    CollectedStats();
    const size_t resident_before = ResidentBytes();
    for (size_t i = 0; i < kEach; ++i) {
      own[i] = malloc(kBlockBytes);
      freer.blocks[i] = malloc(kBlockBytes);
    }
    pthread_barrier_wait(&freer.begin);
    for (void* block : own) free(block);
    pthread_barrier_wait(&freer.end);
    CollectedStats();
    EXPECT_LT(ResidentBytes(), resident_before + 4 * kMiB);
  }
  pthread_barrier_destroy(&freer.begin);
  pthread_barrier_destroy(&freer.end);
  EXPECT_EQ(HeapProblems(), 0);
}

TEST(ManyThreadsTest, TwentyThousandShortLivesStayWithinBounds) {
  constexpr size_t kAtOnce = 40;
  constexpr int kBatches = 500;
  std::atomic<void*> handed_on = nullptr;
  // libc keeps stacks, and a few bytes allocated for each.
  Meet(kAtOnce, [] {});
  const hakmem_stats_t before = CollectedStats();
  size_t after_some = 0;
  size_t most = 0;
  for (int batch = 0; batch < kBatches; ++batch) {
    { Threads threads(kAtOnce, LiveShortly, &handed_on); }
    if (batch == kBatches / 10) after_some = ResidentBytes();
    if (batch % 10 == 0) most = std::max(most, ResidentBytes());
  }
  free(handed_on.exchange(nullptr));
  EXPECT_LT(most, after_some + 24 * kMiB);
  EXPECT_LE(Stats().metadata_bytes, before.metadata_bytes + 8 * kMiB);
  ExpectHeapVerifies(before);
}

TEST(ManyThreadsTest, TwoThousandAtOnceGiveAllBack) {
  constexpr size_t kAtOnce = 2000;
  const hakmem_stats_t before = CollectedStats();
  const size_t resident_before = ResidentBytes();
  for (int round = 0; round < 2; ++round) {
    Meet(kAtOnce, [&] {
      const hakmem_stats_t during = Stats();
      EXPECT_GE(during.threads, kAtOnce);
      EXPECT_GE(during.live_bytes, before.live_bytes + kAtOnce * kBytesEach);
    });
  }
  EXPECT_EQ(CollectedStats().threads, before.threads);
  // libc keeps up to 40 MiB of stacks, of which little is resident, and a few
  // bytes allocated for each.
  EXPECT_LT(Stats().live_bytes, before.live_bytes + kMiB);
  // The segment back-end keeps a page of each segment's metadata.
  const size_t metadata =
      ExpectedBackend() == "segment" ? kAtOnce * 4 * kKiB : 0;
  EXPECT_LT(ResidentBytes(), resident_before + 24 * kMiB + metadata);
  EXPECT_EQ(HeapProblems(), 0);
}

}  // namespace
}  // namespace hakmem_test
