#include "benchmarks/worker/batch_queue.h"
#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/log_uniform.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/threads/resident.h"
#include "benchmarks/workloads/threads/start_thread.h"
#include "benchmarks/workloads/threads/threads.h"

namespace hakmem::bench {
namespace {

constexpr LogUniform kSizes(16, 512);
constexpr uint64_t kBlocks = 5'000'000;
constexpr size_t kKept = 4096;

using Queue = BatchQueue<64, 8, 200>;  // 512 blocks

class alignas(kApart) Maker {
 public:
  Maker(Queue& queue, const Run& run)
      : queue_(queue), random_(run.seed()), blocks_(run.Scaled(kBlocks)) {}

  void Run() {
    Queue::Batch batch;
    for (uint64_t made = 0; made < blocks_;) {
      batch.Clear();
      while (!batch.full() && made < blocks_) {
        batch.Add(MakeBlock(kSizes.Draw(random_), DistinctTag(++made)));
      }
      queue_.Push(batch);
    }
    queue_.Close();
  }

 private:
  Queue& queue_;
  Random random_;
  const uint64_t blocks_;
};

// Keeps what comes in a random slot and frees what was there before.
class alignas(kApart) Freer {
 public:
  Freer(Queue& queue, const Run& run)
      : queue_(queue),
        random_(~run.seed()),
        early_(run.Scaled(kBlocks) / kEarly),
        kept_(kKept) {}

  void Run() {
    for (Queue::Batch batch; queue_.Pop(batch);) {
      for (const Block& block : batch) {
        const size_t slot = random_.Below(kKept);
        kept_.Free(slot);
        kept_.Put(slot, block);
        if (++received_ == early_) before_ = Read();
      }
    }
    after_ = Read();
  }

  uint64_t received() const { return received_; }
  const Reading& before() const { return before_; }
  const Reading& after() const { return after_; }

 private:
  Reading Read() { return ReadResident(kept_.live_bytes() + queue_.bytes()); }

  Queue& queue_;
  Random random_;
  const uint64_t early_;
  uint64_t received_ = 0;
  BlockArray kept_;
  Reading before_;
  Reading after_;
};

}  // namespace

void Asymmetric(Run& run) {
  Queue queue;
  Maker maker(queue, run);
  Freer freer(queue, run);
  run.Start();
  const pthread_t freeing = StartThread(freer);
  const pthread_t making = StartThread(maker);
  pthread_join(making, nullptr);
  pthread_join(freeing, nullptr);
  run.Stop();
  run.Count(freer.received());
  run.Finish();
  ReportResident(run, freer.before(), freer.after());
}

}  // namespace hakmem::bench
