// A bounded queue of blocks between threads, for workloads in which one thread
// frees what another made. It costs next to nothing per block, so that what is
// measured is the allocator: it passes batches, and a side that has to wait
// sleeps until the queue is half full, so that wake-ups are few.
//
// Threads that often wake one another are kept on one core by the kernel, which
// takes them for one activity, and then the work of both is done in turn. So
// for blocks that take nanoseconds a side may first yield its core a number of
// times, whereby it stays runnable and gets a core of its own.
#ifndef HAKMEM_BENCHMARKS_WORKER_BATCH_QUEUE_H_
#define HAKMEM_BENCHMARKS_WORKER_BATCH_QUEUE_H_

#include <pthread.h>
#include <sched.h>
#include <stddef.h>

#include "benchmarks/worker/block_array.h"

namespace hakmem::bench {

// Any number of threads on either side. Holds `kBatches` batches of up to
// `kBatchBlocks` blocks, in itself. Who has to wait yields `kYields` times
// before it sleeps.
template <size_t kBatchBlocks, size_t kBatches, int kYields = 0>
class BatchQueue {
 public:
  class Batch {
   public:
    bool full() const { return count_ == kBatchBlocks; }
    size_t bytes() const { return bytes_; }
    const Block* begin() const { return blocks_; }
    const Block* end() const { return blocks_ + count_; }

    // Unless full.
    void Add(const Block& block) {
      blocks_[count_++] = block;
      bytes_ += block.size;
    }
    void Clear() { count_ = bytes_ = 0; }

   private:
    size_t count_ = 0;
    size_t bytes_ = 0;
    Block blocks_[kBatchBlocks];
  };

  void Push(const Batch& batch) {
    pthread_mutex_lock(&mutex_);
    YieldWhile([this] { return held_ == kBatches; });
    if (held_ == kBatches) {
      while (held_ > kBatches / 2) pthread_cond_wait(&drained_, &mutex_);
    }
    ring_[(first_ + held_++) % kBatches] = batch;
    bytes_ += batch.bytes();
    if (held_ == kBatches / 2) pthread_cond_broadcast(&filled_);
    pthread_mutex_unlock(&mutex_);
  }

  // No Push comes after.
  void Close() {
    pthread_mutex_lock(&mutex_);
    closed_ = true;
    pthread_cond_broadcast(&filled_);
    pthread_mutex_unlock(&mutex_);
  }

  // False when the queue is closed and empty.
  bool Pop(Batch& batch) {
    pthread_mutex_lock(&mutex_);
    YieldWhile([this] { return held_ == 0 && !closed_; });
    if (held_ == 0) {
      while (held_ < kBatches / 2 && !closed_) {
        pthread_cond_wait(&filled_, &mutex_);
      }
    }
    const bool any = held_ != 0;
    if (any) {
      batch = ring_[first_];
      bytes_ -= batch.bytes();
      first_ = (first_ + 1) % kBatches;
      if (--held_ == kBatches / 2) pthread_cond_broadcast(&drained_);
    }
    pthread_mutex_unlock(&mutex_);
    return any;
  }

  // What the blocks in the queue have asked for.
  size_t bytes() {
    pthread_mutex_lock(&mutex_);
    const size_t bytes = bytes_;
    pthread_mutex_unlock(&mutex_);
    return bytes;
  }

 private:
  // Nobody sleeps for good: who waits for half a queue, or for half of it to
  // drain, is woken whenever the count passes the half on its way there, and
  // the sides never wait both.
  static_assert(kBatches >= 2);

  // With the mutex held, which it lets go meanwhile.
  template <class Condition>
  void YieldWhile(Condition condition) {
    for (int i = 0; i < kYields && condition(); ++i) {
      pthread_mutex_unlock(&mutex_);
      sched_yield();
      pthread_mutex_lock(&mutex_);
    }
  }

  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t filled_ = PTHREAD_COND_INITIALIZER;
  pthread_cond_t drained_ = PTHREAD_COND_INITIALIZER;
  Batch ring_[kBatches];
  size_t first_ = 0;
  size_t held_ = 0;
  size_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKER_BATCH_QUEUE_H_
