// Guarded allocation, sampled: on average one of HAKMEM_GUARD_SAMPLE blocks
// lies alone between pages that nothing may touch (guarded_pool.h), so that a
// bug that touches it is told, with the stacks that explain it, when it happens
// and in the program as it runs every day.
//
// Off unless asked for. While on, every call takes the slow path, as for events
// (ThreadCache::SeesEveryCall); there a coin is thrown for each allocation. A
// program that keeps all slots in use gets no more guarded blocks. Thread-safe.
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
  // Switches sampling on when the option asks for it; once, when options are
  // read for good. Threads in their hot path are the caller's to reach.
  static void Start();

  // Whether blocks are sampled.
  static bool IsOn() {
    // relaxed: a switch that orders nothing.
    return interval_.load(std::memory_order_relaxed) != 0;
  }

  // Whether `address`, any number at all, lies in the pool.
  static bool Owns(uintptr_t address) {
    // relaxed: who has a block's address got it after these were written.
    return address - begin_.load(std::memory_order_relaxed) <
           length_.load(std::memory_order_relaxed);
  }

  // A guarded block of `bytes` at `alignment` for a call from `caller`, once in
  // a while; mostly null. Keeps errno.
  static void* Sample(size_t bytes, size_t alignment, const void* caller);

  // Takes back the block at `address`, which the pool owns. Aborts with a
  // report when it is no block in use, or when bytes beside it were changed.
  static void Free(uintptr_t address, const void* caller);

  // The bytes that the block at `address`, which the pool owns, was asked for
  // with. Aborts with a report when it is no block in use; `function` is
  // what the program called.
  static size_t BytesAt(uintptr_t address, BlockCall function,
                        const void* caller);

  // What the block at `address`, which the pool owns, was allocated by, for
  // whoever holds it; kUnknown when no block in use starts there.
  static Origin OriginAt(uintptr_t address);
  static void SetOrigin(uintptr_t address, Origin origin);

  static GuardedPool::Totals Sum();
  // Address space of the pool in bytes.
  static size_t BytesReserved() {
    return length_.load(std::memory_order_relaxed);
  }

  static void LockForFork();
  static void UnlockAfterFork();
  // In the child of a fork: its samples shall be others than its siblings'.
  static void BeginInChild();

 private:
  static std::atomic<uint64_t> interval_;  // 0: off
  static std::atomic<uintptr_t> begin_;    // the pool's
  static std::atomic<size_t> length_;
};

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_GUARD_GUARD_H_
