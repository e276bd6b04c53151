#include <pthread.h>
#include <string.h>

#include "benchmarks/block_array.h"
#include "benchmarks/workloads/ace.h"

namespace hakmem::bench {
namespace {

constexpr size_t kMessageBytes = size_t{64} << 10;
constexpr uint64_t kMessages = 200'000;

constexpr size_t kBatchMessages = 32;
constexpr size_t kBatches = 8;  // 256 messages

struct Batch {
  size_t count = 0;
  Block messages[kBatchMessages];
};

// A bounded queue from one thread to one other that costs next to nothing per
// message: it passes batches, and a side that has to wait sleeps until the
// queue is half full, so that wake-ups are few.
class Queue {
 public:
  void Push(const Batch& batch) {
    pthread_mutex_lock(&mutex_);
    if (held_ == kBatches) {
      while (held_ > kBatches / 2) pthread_cond_wait(&drained_, &mutex_);
    }
    ring_[(first_ + held_++) % kBatches] = batch;
    if (held_ == kBatches / 2) pthread_cond_signal(&filled_);
    pthread_mutex_unlock(&mutex_);
  }

  // No Push comes after.
  void Close() {
    pthread_mutex_lock(&mutex_);
    closed_ = true;
    pthread_cond_signal(&filled_);
    pthread_mutex_unlock(&mutex_);
  }

  // False when the queue is closed and empty.
  bool Pop(Batch& batch) {
    pthread_mutex_lock(&mutex_);
    if (held_ == 0) {
      while (held_ < kBatches / 2 && !closed_) {
        pthread_cond_wait(&filled_, &mutex_);
      }
    }
    const bool any = held_ != 0;
    if (any) {
      batch = ring_[first_];
      first_ = (first_ + 1) % kBatches;
      if (--held_ == kBatches / 2) pthread_cond_signal(&drained_);
    }
    pthread_mutex_unlock(&mutex_);
    return any;
  }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t filled_ = PTHREAD_COND_INITIALIZER;
  pthread_cond_t drained_ = PTHREAD_COND_INITIALIZER;
  Batch ring_[kBatches];
  size_t first_ = 0;
  size_t held_ = 0;
  bool closed_ = false;
};

void* Consume(void* argument) {
  Queue& queue = *static_cast<Queue*>(argument);
  for (Batch batch; queue.Pop(batch);) {
    for (size_t i = 0; i < batch.count; ++i) {
      batch.messages[i].CheckAll();
      free(batch.messages[i].data);
    }
  }
  return nullptr;
}

void Produce(Queue& queue, uint64_t messages) {
  Batch batch;
  for (uint64_t sent = 0; sent < messages;) {
    batch.count = 0;
    while (batch.count < kBatchMessages && sent < messages) {
      batch.messages[batch.count++] =
          MakeBlock(kMessageBytes, DistinctTag(++sent));
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
