// Sampled guarded allocations (GWP-ASan): on average one in HAKMEM_GUARD_SAMPLE
// blocks lies alone between inaccessible pages (guarded_pool.h). Overflows and
// use after free of such a block are reported with stacks when they happen,
// also in production.
//
// Off by default. Which blocks are guarded is decided by
// frontend/sampling/sampling.h. While all slots are in use, no more blocks are
// guarded. Thread-safe.
#ifndef HAKMEM_FRONTEND_GUARD_GUARD_H_
#define HAKMEM_FRONTEND_GUARD_GUARD_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "frontend/guard/guarded_pool.h"
#include "frontend/guard/guarded_report.h"

namespace hakmem {

class Guard {
 public:
  // Switches sampling on if the option asks for it. Call it once, after the
  // options are final. The caller takes threads off the hot path.
  static void Start();

  // One in how many blocks is to be guarded; 0: none.
  static uint64_t Interval() {
    // relaxed: a switch, it orders nothing.
    return interval_.load(std::memory_order_relaxed);
  }

  // Whether blocks are sampled.
  static bool IsOn() { return Interval() != 0; }

  // Whether `address` (any number) lies in the pool.
  static bool Owns(uintptr_t address) {
    // relaxed: a thread that has a block's address got it after these were
    // written.
    return address - begin_.load(std::memory_order_relaxed) <
           length_.load(std::memory_order_relaxed);
  }

  // Returns a guarded block of `bytes` at `alignment`, with its page's free
  // part on the other side than `end`, for a call from `caller`. Null when it
  // is too long, or all slots are in use. Keeps errno.
  static void* Allocate(size_t bytes, size_t alignment, GuardedPool::End end,
                        const void* caller);

  // Frees the block at `address`, which the pool owns. Aborts with a report if
  // it is not a block in use, or if bytes beside it were changed.
  static void Free(uintptr_t address, const void* caller);

  // The requested size of the block at `address`, which the pool owns. Aborts
  // with a report if it is not a block in use; `function` is what the program
  // called.
  static size_t BytesAt(uintptr_t address, BlockCall function,
                        const void* caller);

  // The kind of function that allocated the block at `address`, which the pool
  // owns, for its holder; kUnknown if no block in use starts there.
  static Origin OriginAt(uintptr_t address);
  static void SetOrigin(uintptr_t address, Origin origin);

  static GuardedPool::Totals Sum();
  // Address space of the pool in bytes.
  static size_t BytesReserved() {
    return length_.load(std::memory_order_relaxed);
  }

  static void LockForFork();
  static void UnlockAfterFork();

 private:
  static std::atomic<uint64_t> interval_;  // 0: off
  static std::atomic<uintptr_t> begin_;    // of the pool
  static std::atomic<size_t> length_;
};

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_GUARD_GUARD_H_
