#include <pthread.h>
#include <string.h>

#include "benchmarks/worker/batch_queue.h"
#include "benchmarks/worker/block_array.h"
#include "benchmarks/workloads/large/large.h"

namespace hakmem::bench {
namespace {

constexpr size_t kMessageBytes = size_t{64} << 10;
constexpr uint64_t kMessages = 200'000;

using Queue = BatchQueue<32, 8>;  // 256 messages

void* Consume(void* argument) {
  Queue& queue = *static_cast<Queue*>(argument);
  for (Queue::Batch batch; queue.Pop(batch);) {
    for (const Block& message : batch) {
      message.CheckAll();
      free(message.data);
    }
  }
  return nullptr;
}

void Produce(Queue& queue, uint64_t messages) {
  Queue::Batch batch;
  for (uint64_t sent = 0; sent < messages;) {
    batch.Clear();
    while (!batch.full() && sent < messages) {
      batch.Add(MakeBlock(kMessageBytes, DistinctTag(++sent)));
    }
    queue.Push(batch);
  }
  queue.Close();
}

}  // namespace

void Messages(Run& run) {
  const uint64_t messages = run.Scaled(kMessages);
  Queue queue;
  pthread_t consumer;
  run.Start();
  const int error = pthread_create(&consumer, nullptr, Consume, &queue);
  if (error != 0) {
    Die(kAllocatorFailed, "cannot start a thread: %s", strerror(error));
  }
  Produce(queue, messages);
  pthread_join(consumer, nullptr);
  run.Stop();
  run.Count(messages);
  run.Finish();
}

}  // namespace hakmem::bench
