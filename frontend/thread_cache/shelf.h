// Shelf: batches of free blocks that one thread leaves and another takes whole.
//
//   slot 0  │ block │ block │ … │ block │   state: empty, n blocks, or busy
//   slot 1  │                           │
//
//   Put                                 Take
//     1  state: empty -> busy             4  state: n blocks -> busy
//     2  writes the addresses             5  reads the addresses
//     3  state := n blocks                6  state := empty
//
// Nobody waits: who finds a slot busy tries the next one. What 4 takes may be a
// later batch than the one whose state was read before; since it reads the
// addresses afterwards, it gets those of the batch it took.
//
// Put begins at the first slot and Take at the last: blocks that are not needed
// stay in the first slots, and their epoch shows it.
//
// A template over what stores an address, so that a test can run the same
// source under every interleaving (shelf_model_test.cc).
#ifndef HAKMEM_FRONTEND_THREAD_CACHE_SHELF_H_
#define HAKMEM_FRONTEND_THREAD_CACHE_SHELF_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace hakmem {

// Thread-safe without a lock. All zeros is a valid, empty shelf. Its addresses
// lie apart, so that a look at all shelves touches few pages.
template <typename Cell, uint32_t kSlots, uint32_t kBlocks>
class Shelf {
 public:
  static_assert(kBlocks < 255);
  using Batches = Cell[kSlots][kBlocks];

  // Leaves `count` blocks, 1 to kBlocks, in one of the first `slots` slots.
  // False if none of these is empty.
  bool Put(Batches& batches, void* const* blocks, uint32_t count,
           uint32_t slots, uint32_t epoch) {
    for (uint32_t slot = 0; slot < slots; ++slot) {
      if (!Claim(slot, kEmpty)) continue;
      for (uint32_t i = 0; i < count; ++i) batches[slot][i] = blocks[i];
      // release: pairs with the acquire in Claim, by Take.
      states_[slot].store(epoch << kCountBits | count,
                          std::memory_order_release);
      return true;
    }
    return false;
  }

  // Takes up to `most` blocks of one batch. Returns how many.
  uint32_t Take(const Batches& batches, void** blocks, uint32_t most) {
    for (uint32_t slot = kSlots; slot-- != 0;) {
      const uint32_t state = State(slot);
      if (HasBatch(state) && Claim(slot, state)) {
        return Remove(batches, slot, state, blocks, most);
      }
    }
    return 0;
  }

  // Takes the batch of one slot, if it was left before `epoch`, into
  // blocks[0..kBlocks).
  uint32_t TakeOlder(const Batches& batches, uint32_t slot, uint32_t epoch,
                     void** blocks) {
    const uint32_t state = State(slot);
    if (!HasBatch(state) || IsSince(state, epoch) || !Claim(slot, state)) {
      return 0;
    }
    return Remove(batches, slot, state, blocks, kBlocks);
  }

  // Blocks in one slot; none while it is busy.
  uint32_t Held(uint32_t slot) const {
    const uint32_t state = State(slot);
    return HasBatch(state) ? state & kCountMask : 0;
  }

  // Empties slots that were busy when their threads were lost. No other thread
  // may use the shelf.
  void ResetBusy() {
    for (auto& state : states_) {
      if (state.load(std::memory_order_relaxed) == kBusy) {
        state.store(kEmpty, std::memory_order_relaxed);
      }
    }
  }

 private:
  static constexpr int kCountBits = 8;
  static constexpr uint32_t kCountMask = (1u << kCountBits) - 1;
  static constexpr uint32_t kEpochMask = UINT32_MAX >> kCountBits;
  static constexpr uint32_t kEmpty = 0;
  static constexpr uint32_t kBusy = UINT32_MAX;

  static bool HasBatch(uint32_t state) {
    return state != kEmpty && state != kBusy;
  }
  // Whether the batch was left in `epoch` or later, as far as its bits tell.
  static bool IsSince(uint32_t state, uint32_t epoch) {
    return (((state >> kCountBits) - epoch) & kEpochMask) <= kEpochMask / 2;
  }

  // relaxed: Claim decides.
  uint32_t State(uint32_t slot) const {
    return states_[slot].load(std::memory_order_relaxed);
  }

  bool Claim(uint32_t slot, uint32_t state) {
    // acquire: pairs with the releases in Put, whose addresses Take reads, and
    // in Remove, which must have read what Put overwrites.
    return State(slot) == state && states_[slot].compare_exchange_strong(
                                       state, kBusy, std::memory_order_acquire,
                                       std::memory_order_relaxed);
  }

  // Takes the last blocks of a claimed batch.
  uint32_t Remove(const Batches& batches, uint32_t slot, uint32_t state,
                  void** blocks, uint32_t most) {
    const uint32_t held = state & kCountMask;
    const uint32_t count = std::min(held, most);
    for (uint32_t i = 0; i < count; ++i) {
      blocks[i] = batches[slot][held - count + i];
    }
    // release: pairs with the acquire in Claim, by Put.
    states_[slot].store(count == held ? kEmpty : state - count,
                        std::memory_order_release);
    return count;
  }

  std::atomic<uint32_t> states_[kSlots];  // number of blocks, epoch above it
};

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_THREAD_CACHE_SHELF_H_
