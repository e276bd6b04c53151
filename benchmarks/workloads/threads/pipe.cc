#include "benchmarks/worker/batch_queue.h"
#include "benchmarks/worker/block_array.h"
#include "benchmarks/worker/log_uniform.h"
#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/threads/resident.h"
#include "benchmarks/workloads/threads/start_thread.h"
#include "benchmarks/workloads/threads/threads.h"

namespace hakmem::bench {
namespace {

constexpr LogUniform kSizes(16, 1024);
constexpr uint64_t kBlocks = 8'000'000;

using Queue = BatchQueue<64, 32, 200>;  // 2048 blocks

class alignas(kApart) Producer {
 public:
  void Prepare(Queue& queue, uint64_t seed, uint64_t first_tag,
               uint64_t blocks) {
    queue_ = &queue;
    random_ = Random(seed);
    tag_ = first_tag;
    blocks_ = blocks;
  }

  void Run() {
    const uint64_t early = blocks_ / kEarly;
    Produce(early);
    early_ = ReadResident(queue_->bytes());
    Produce(blocks_ - early);
    late_ = ReadResident(queue_->bytes());
  }

  const Reading& early() const { return early_; }
  const Reading& late() const { return late_; }

 private:
  void Produce(uint64_t blocks) {
    Queue::Batch batch;
    while (blocks != 0) {
      batch.Clear();
      for (; !batch.full() && blocks != 0; --blocks) {
        batch.Add(MakeBlock(kSizes.Draw(random_), DistinctTag(++tag_)));
      }
      queue_->Push(batch);
    }
  }

  Queue* queue_ = nullptr;
  Random random_ = Random(0);
  uint64_t tag_ = 0;
  uint64_t blocks_ = 0;
  Reading early_;
  Reading late_;
};

class alignas(kApart) Consumer {
 public:
  void Prepare(Queue& queue) { queue_ = &queue; }

  void Run() {
    for (Queue::Batch batch; queue_->Pop(batch);) {
      for (const Block& block : batch) {
        block.CheckEnds();
        free(block.data);
        ++freed_;
      }
    }
  }

  uint64_t freed() const { return freed_; }

 private:
  Queue* queue_ = nullptr;
  uint64_t freed_ = 0;
};

// As many producers as consumers.
template <size_t count>
void RunPipe(Run& run) {
  Queue queue;
  Producer producers[count];
  Consumer consumers[count];
  for (size_t i = 0; i < count; ++i) {
    producers[i].Prepare(queue, run.seed() * count + i, uint64_t{i} << 40,
                         run.Scaled(kBlocks / count));
    consumers[i].Prepare(queue);
  }
  run.Start();
  Team consuming(consumers);
  Team producing(producers);
  producing.Join();
  queue.Close();
  consuming.Join();
  run.Stop();
  for (const Consumer& consumer : consumers) run.Count(consumer.freed());
  run.Finish();
  ReportResident(run, producers[0].early(), producers[0].late());
}

}  // namespace

void Pipe1To1(Run& run) { RunPipe<1>(run); }
void Pipe4To4(Run& run) { RunPipe<4>(run); }

}  // namespace hakmem::bench
