// Queues of blocks between two threads. Their memory is not from malloc, and
// they have no locks, which a fork could copy in the locked state.
#ifndef HAKMEM_TOOLS_SOAK_BLOCK_QUEUE_H_
#define HAKMEM_TOOLS_SOAK_BLOCK_QUEUE_H_

#include <sched.h>

#include <atomic>
#include <cstddef>

#include "tools/soak/blocks.h"
#include "tools/soak/mapped.h"

namespace hakmem::soak {

// One producer, one consumer.
class BlockQueue {
 public:
  static constexpr size_t kCapacity = 256;

  void Start() { blocks_ = Map<Block>(kCapacity); }

  // Wait until there is room, or something to take.
  void Put(const Block& block) {
    const size_t put = put_.load(std::memory_order_relaxed);
    while (put - taken_.load(std::memory_order_acquire) == kCapacity) {
      sched_yield();
    }
    blocks_[put % kCapacity] = block;
    // With the acquire in Take: the block's contents, too, are there.
    put_.store(put + 1, std::memory_order_release);
  }
  Block Take() {
    const size_t taken = taken_.load(std::memory_order_relaxed);
    while (put_.load(std::memory_order_acquire) == taken) sched_yield();
    const Block block = blocks_[taken % kCapacity];
    // With the acquire in Put: the place was read before it is used again.
    taken_.store(taken + 1, std::memory_order_release);
    return block;
  }

 private:
  Block* blocks_;
  std::atomic<size_t> put_;
  std::atomic<size_t> taken_;
};

struct QueuePair {
  BlockQueue requests;
  BlockQueue answers;

  void Start() {
    requests.Start();
    answers.Start();
  }
};

}  // namespace hakmem::soak

#endif  // HAKMEM_TOOLS_SOAK_BLOCK_QUEUE_H_
