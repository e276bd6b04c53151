#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/threads/start_thread.h"
#include "benchmarks/workloads/threads/threads.h"

namespace hakmem::bench {
namespace {

constexpr size_t kThreads = 4;
constexpr uint64_t kBlocks = 2'000'000;  // of all threads

// Sizes are whole words, up to a cache line.
constexpr size_t kWord = sizeof(uint64_t);
constexpr size_t kMostWords = 8;

// To a block, in turn to each of its words. A multiple of every number of
// words.
constexpr uint64_t kWrites = 840;

// A block in use: counts its words up and looks whether nobody else wrote to
// them.
void CountUp(const Block& block) {
  const size_t words = block.size / kWord;
  const uint64_t passes = kWrites / words;
  // Volatile: each count goes to memory.
  auto* const word = reinterpret_cast<volatile uint64_t*>(block.data);
  for (size_t i = 0; i < words; ++i) word[i] = block.tag + i;
  for (uint64_t pass = 0; pass < passes; ++pass) {
    for (size_t i = 0; i < words; ++i) word[i] = word[i] + 1;
  }
  for (size_t i = 0; i < words; ++i) {
    if (word[i] != block.tag + i + passes) block.DieDamaged();
  }
}

class alignas(kApart) Scribbler {
 public:
  void Prepare(const Run& run, uint64_t index) {
    random_ = Random(run.seed() * kThreads + index);
    tag_ = index << 40;
    blocks_ = run.Scaled(kBlocks / kThreads);
  }

  // Makes, on the thread that calls, the block of so many words that Run()
  // frees at the start.
  void Give(size_t words) {
    given_[given_count_++] = MakeBlock(words * kWord, DistinctTag(++tag_));
  }

  void Run() {
    for (size_t i = 0; i < given_count_; ++i) {
      given_[i].CheckEnds();
      Use(given_[i]);
    }
    for (uint64_t i = 0; i < blocks_; ++i) {
      const size_t words = 1 + random_.Below(kMostWords);
      Use(MakeBlock(words * kWord, DistinctTag(++tag_)));
    }
  }

  uint64_t used() const { return used_; }

 private:
  void Use(const Block& block) {
    CountUp(block);
    free(block.data);
    ++used_;
  }

  Random random_ = Random(0);
  uint64_t tag_ = 0;
  uint64_t blocks_ = 0;
  uint64_t used_ = 0;
  Block given_[kMostWords];
  size_t given_count_ = 0;
};

void RunScribblers(Run& run, bool passive) {
  Scribbler scribblers[kThreads];
  for (size_t i = 0; i < kThreads; ++i) scribblers[i].Prepare(run, i);
  run.Start();
  for (size_t words = 1; passive && words <= kMostWords; ++words) {
    for (Scribbler& scribbler : scribblers) scribbler.Give(words);
  }
  Team(scribblers).Join();
  run.Stop();
  for (const Scribbler& scribbler : scribblers) run.Count(scribbler.used());
  run.Finish();
}

}  // namespace

void FalseSharingActive(Run& run) { RunScribblers(run, false); }
void FalseSharingPassive(Run& run) { RunScribblers(run, true); }

}  // namespace hakmem::bench
