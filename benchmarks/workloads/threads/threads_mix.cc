#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/log_uniform.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/threads/resident.h"
#include "benchmarks/workloads/threads/start_thread.h"
#include "benchmarks/workloads/threads/threads.h"

namespace hakmem::bench {
namespace {

constexpr LogUniform kSizes(8, 16'001);
constexpr size_t kThreads = 4;
constexpr uint64_t kBlocks = 4'000'000;  // of all threads
constexpr size_t kSlots = 1024;          // of each

// After so many replacements a thread swaps as many blocks as a shelf has, so
// that of three blocks that it frees another thread has made about one.
constexpr uint64_t kSwapEvery = 128;
constexpr size_t kShelfBlocks = 64;
constexpr size_t kShelves = 16;

// Blocks that lie between the threads: who comes leaves its own and takes what
// another has left.
class alignas(kApart) Shelf {
 public:
  Shelf() : blocks_(kShelfBlocks) {}

  void Fill(Random& random, uint64_t first_tag) {
    for (size_t i = 0; i < kShelfBlocks; ++i) {
      blocks_.Put(i,
                  MakeBlock(kSizes.Draw(random), DistinctTag(first_tag + i)));
    }
  }

  // With the blocks of slots `first` and up.
  void Swap(BlockArray& with, size_t first) {
    pthread_mutex_lock(&mutex_);
    for (size_t i = 0; i < kShelfBlocks; ++i) {
      const Block left = with.Take(first + i);
      with.Put(first + i, blocks_.Take(i));
      blocks_.Put(i, left);
    }
    pthread_mutex_unlock(&mutex_);
  }

  // Once no thread swaps any more.
  size_t live_bytes() const { return blocks_.live_bytes(); }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  BlockArray blocks_;
};

class alignas(kApart) Mixer {
 public:
  Mixer(Shelf* shelves, const Run& run, uint64_t index)
      : shelves_(shelves),
        random_(run.seed() * kThreads + index),
        replacements_(run.Scaled(kBlocks / kThreads)),
        blocks_(kSlots, (index + 1) << 40) {
    for (size_t i = 0; i < kSlots; ++i) Replace(i);
  }

  void Run() {
    const uint64_t early = replacements_ / kEarly;
    for (uint64_t i = 1; i <= replacements_; ++i) {
      Replace(random_.Below(kSlots));
      if (i % kSwapEvery == 0) {
        shelves_[random_.Below(kShelves)].Swap(
            blocks_, random_.Below(kSlots / kShelfBlocks) * kShelfBlocks);
      }
      if (i == early) early_ = ReadResident(blocks_.live_bytes());
    }
  }

  size_t live_bytes() const { return blocks_.live_bytes(); }
  const Reading& early() const { return early_; }

 private:
  void Replace(size_t slot) { blocks_.Replace(slot, kSizes.Draw(random_)); }

  Shelf* const shelves_;
  Random random_;
  const uint64_t replacements_;
  BlockArray blocks_;
  Reading early_;
};

}  // namespace

void ThreadsMix(Run& run) {
  Shelf shelves[kShelves];
  Random random(~run.seed());
  for (size_t i = 0; i < kShelves; ++i) {
    shelves[i].Fill(random, 1 + i * kShelfBlocks);
  }
  Mixer mixers[kThreads] = {{shelves, run, 0},
                            {shelves, run, 1},
                            {shelves, run, 2},
                            {shelves, run, 3}};
  run.Start();
  Team(mixers).Join();
  run.Stop();
  run.Count(kThreads * run.Scaled(kBlocks / kThreads));
  run.Finish();
  size_t live_bytes = 0;
  for (const Mixer& mixer : mixers) live_bytes += mixer.live_bytes();
  for (const Shelf& shelf : shelves) live_bytes += shelf.live_bytes();
  ReportResident(run, mixers[0].early(), ReadResident(live_bytes));
}

}  // namespace hakmem::bench
