// hakmem_check_heap finds nothing wrong in a heap in use, and names what a
// program has corrupted.
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {
namespace {

int Errors() { return Hakmem().check_heap(); }

// One thread's use of the heap: allocates, grows and frees in random order.
class Churn {
 public:
  explicit Churn(uint64_t seed) : random_(seed), blocks_(400) {}
  Churn(const Churn&) = delete;
  Churn& operator=(const Churn&) = delete;
  ~Churn() {
    for (void* block : blocks_) free(block);
  }
  void Run(int operations) {
    for (int i = 0; i < operations; ++i) {
      void*& block = blocks_[random_() % blocks_.size()];
      if (random_() % 4 == 0) {
        void* grown = realloc(block, AnySize(random_) + 1);
        if (grown == nullptr) abort();
        block = grown;
      } else {
        free(block);
        block = random_() % 8 == 0 ? aligned_alloc(4096, AnySize(random_))
                                   : malloc(AnySize(random_));
      }
    }
  }
  std::vector<void*>& blocks() { return blocks_; }

 private:
  std::mt19937_64 random_;
  std::vector<void*> blocks_;
};

TEST(HeapCheckTest, FindsNothingAtAnyTimeInALongRun) {
  Churn churn(1);
  for (int round = 0; round < 300; ++round) {
    churn.Run(300);
    ASSERT_EQ(Errors(), 0) << round;
    if (round % 50 == 49) {
      Hakmem().collect();
      ASSERT_EQ(Errors(), 0) << round;
    }
  }
}

TEST(HeapCheckTest, FindsNothingAfterThreadsFreedOneAnothersBlocks) {
  constexpr size_t kThreads = 4;
  for (int round = 0; round < 8; ++round) {
    std::deque<Churn> churns;
    for (size_t i = 0; i < kThreads; ++i) churns.emplace_back(round * 10 + i);
    // Twice: the second time each thread continues with another's blocks.
    for (size_t shift = 0; shift < 2; ++shift) {
      std::vector<std::thread> threads;
      for (size_t i = 0; i < kThreads; ++i) {
        threads.emplace_back(
            [&, i] { churns[(i + shift) % kThreads].Run(5000); });
      }
      for (std::thread& thread : threads) thread.join();
      ASSERT_EQ(Errors(), 0) << round;
    }
  }
  Hakmem().collect();
  EXPECT_EQ(Errors(), 0);
}

TEST(HeapCheckTest, FindsNothingInBinsOfThreadsThatWait) {
  std::atomic<int> turn = 0;
  const auto wait_for = [&](int value) {
    while (turn != value) std::this_thread::yield();
  };
  std::thread other([&] {
    Churn churn(7);
    churn.Run(10000);
    turn = 1;
    wait_for(2);
    churn.Run(1000);
  });
  wait_for(1);
  EXPECT_EQ(Errors(), 0);
  turn = 2;
  other.join();
  EXPECT_EQ(Errors(), 0);
}

TEST(HeapCheckTest, FindsNothingInAForkedChild) {
  Churn churn(3);
  churn.Run(10000);
  const ChildResult child = RunForked([&] {
    EXPECT_EQ(Errors(), 0);
    churn.Run(10000);
    EXPECT_EQ(Errors(), 0);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
}

// The child has them as they were, in mid-operation, forever.
TEST(HeapCheckTest, FindsNothingInTheChildOfAForkAmidOtherThreads) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 3; ++i) {
    threads.emplace_back([&stop, i] {
      Churn churn(i);
      while (!stop) churn.Run(100);
    });
  }
  for (int round = 0; round < 20; ++round) {
    const ChildResult child = RunForked([] {
      EXPECT_EQ(Errors(), 0);
      Churn(9).Run(10000);
      EXPECT_EQ(Errors(), 0);
    });
    ASSERT_EQ(child.exit_code, 0) << child.err;
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Errors(), 0);
}

TEST(HeapCheckTest, KeepsErrnoAndAllocatesNothing) {
  Churn churn(5);
  churn.Run(1000);
  const uint64_t live = Stats().live_bytes;
  errno = 4711;
  EXPECT_EQ(Errors(), 0);
  EXPECT_EQ(errno, 4711);
  EXPECT_EQ(Stats().live_bytes, live);
}

// Hardened builds detect a bad free earlier.
class BadFreesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::string(getenv("HAKMEM_EXPECT_HARDENING")) != "off") {
      GTEST_SKIP() << "reported at once";
    }
  }
};

// The second free is detected only when it reaches the slab: until then the bin
// contains the block twice.
TEST_F(BadFreesTest, NamesABlockThatWasFreedTwice) {
  const ChildResult child = RunForked([] {
    void* a = Opaque(malloc(48));
    void* b = Opaque(malloc(48));
    free(a);
    free(b);
    free(Opaque(a));
    EXPECT_EQ(Errors(), 1);
    _exit(testing::Test::HasFailure() ? 1 : 0);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
  EXPECT_NE(
      child.err.find("hakmem: heap check: a free block or span is kept twice"),
      std::string::npos)
      << child.err;
}

TEST_F(BadFreesTest, NamesTheMiddleOfABlockThatWasFreed) {
  const ChildResult child = RunForked([] {
    char* block = static_cast<char*>(Opaque(malloc(480)));
    free(Opaque(block + 16));
    EXPECT_EQ(Errors(), 1);
    _exit(testing::Test::HasFailure() ? 1 : 0);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
  EXPECT_NE(child.err.find("what a bin holds is not the start of a block"),
            std::string::npos)
      << child.err;
}

TEST_F(BadFreesTest, PrintsTwentyErrorsAndTheNumberOfTheRest) {
  const ChildResult child = RunForked([] {
    constexpr int kBlocks = 30;
    void* blocks[kBlocks];
    for (int i = 0; i < kBlocks; ++i) {
      blocks[i] = Opaque(malloc(static_cast<size_t>(i) * 16 + 200));
    }
    for (void* block : blocks) free(static_cast<char*>(Opaque(block)) + 8);
    EXPECT_EQ(Errors(), kBlocks);
    _exit(testing::Test::HasFailure() ? 1 : 0);
  });
  EXPECT_EQ(child.exit_code, 0) << child.err;
  size_t lines = 0;
  for (size_t at = child.err.find("hakmem: heap check: what a bin holds");
       at != std::string::npos;
       at = child.err.find("hakmem: heap check: what a bin holds", at + 1)) {
    ++lines;
  }
  EXPECT_EQ(lines, 20u);
  EXPECT_NE(child.err.find("hakmem: heap check: 10 more errors\n"),
            std::string::npos)
      << child.err;
}

}  // namespace
}  // namespace hakmem_test
