// EventRing: the last events of one thread. One thread writes; any thread may
// read at any time, also while it writes or after it has ended.
//
//     forgotten    overwritten   readable, at most kCapacity   being written
//   ├────────────┼─────────────┼─────────────────────────────┼──────────────┤
//   0          first_                                      ended_        begun_
//
// Events are numbered in order; number n is in slot n % kCapacity.
//   ended_ <= begun_ <= ended_ + 1; they differ only while one is written.
//
// A reader copies a slot, then checks begun_ to see whether the next lap had
// reached it: a seqlock with one counter for all slots, which the writer keeps
// anyway. Nobody waits. All data are atomic words, so a late read gives a wrong
// value, never a data race.
//
// All zeros is an empty ring: fresh memory from the OS needs no constructor.
#ifndef HAKMEM_TRACING_EVENTS_EVENT_RING_H_
#define HAKMEM_TRACING_EVENTS_EVENT_RING_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tracing/events/allocation_event.h"

namespace hakmem {

// The size is a parameter for the model test (event_ring_model_test).
template <size_t kSlots>
class BasicEventRing {
 public:
  static constexpr size_t kCapacity = kSlots;

  // --- The owning thread ----------------------------------------------------

  // Records `event`, replacing the oldest. Returns false, without effect, in a
  // signal handler that interrupted a Record of the same ring.
  bool Record(const AllocationEvent& event) {
    uint64_t number;
    if (!Begin(&number)) return false;
    Slot& slot = slots_[number % kCapacity];
    // release, all six: a reader that sees one of these words sees begun_ too
    // (pairs with the acquires in Read).
    slot.time.store(event.time_ns, std::memory_order_release);
    slot.thread_and_operation.store(Pack(event), std::memory_order_release);
    slot.address.store(Number(event.address), std::memory_order_release);
    slot.bytes.store(event.bytes, std::memory_order_release);
    slot.class_bytes.store(event.class_bytes, std::memory_order_release);
    slot.caller.store(Number(event.caller), std::memory_order_release);
    // release: pairs with the acquire in Visit; the event is complete.
    ended_.store(number + 1, std::memory_order_release);
    return true;
  }

  // Drops an event that was being written when the process forked.
  void AbandonUnfinished() {
    begun_.store(ended_.load(std::memory_order_relaxed),
                 std::memory_order_relaxed);
  }

  // --- Any thread ------------------------------------------------------------

  // Calls visit(event) for the events recorded before the call, oldest first,
  // except those overwritten meanwhile. Returns how many it visited.
  template <typename Visitor>
  size_t Visit(const Visitor& visit) const {
    // acquire: pairs with the release in Record.
    const uint64_t end = ended_.load(std::memory_order_acquire);
    size_t visited = 0;
    for (uint64_t n = OldestBefore(end); n < end; ++n) {
      AllocationEvent event;
      if (!Read(n, &event)) continue;
      visit(event);
      ++visited;
    }
    return visited;
  }

  // Hides all events recorded so far from later reads.
  void Forget() {
    // release: pairs with the acquire in Recorded.
    first_.store(ended_.load(std::memory_order_relaxed),
                 std::memory_order_release);
  }

  // Events recorded since Forget, and how many of them were overwritten.
  uint64_t Recorded() const {
    // acquire: pairs with the release in Forget, so that ended_ is not older.
    const uint64_t first = first_.load(std::memory_order_acquire);
    return ended_.load(std::memory_order_relaxed) - first;
  }
  uint64_t Overwritten() const {
    return std::max<uint64_t>(Recorded(), kCapacity) - kCapacity;
  }

 private:
  struct Slot {
    std::atomic<uint64_t> time;
    std::atomic<uint64_t> thread_and_operation;
    std::atomic<uint64_t> address;
    std::atomic<uint64_t> bytes;
    std::atomic<uint64_t> class_bytes;
    std::atomic<uint64_t> caller;
  };

  // Takes the next number. False if the thread is already writing an event.
  bool Begin(uint64_t* number) {
    for (;;) {
      const uint64_t ended = ended_.load(std::memory_order_relaxed);
      uint64_t begun = ended;
      // A compare-exchange, because a signal handler may record in between. If
      // two threads share a ring by mistake (the child of a vfork may use its
      // parent's), it makes them lose events rather than mix them. relaxed: the
      // later stores order it before themselves.
      if (begun_.compare_exchange_strong(begun, ended + 1,
                                         std::memory_order_relaxed)) {
        *number = ended;
        return true;
      }
      if (ended_.load(std::memory_order_relaxed) != begun) return false;
    }
  }

  // False if number `n` was overwritten, possibly during the read.
  bool Read(uint64_t n, AllocationEvent* event) const {
    const Slot& slot = slots_[n % kCapacity];
    // acquire, all six: pair with the releases in Record. Seeing a word of the
    // next lap implies seeing the begun_ that announced it.
    event->time_ns = slot.time.load(std::memory_order_acquire);
    Unpack(slot.thread_and_operation.load(std::memory_order_acquire), event);
    event->address = Pointer(slot.address.load(std::memory_order_acquire));
    event->bytes = slot.bytes.load(std::memory_order_acquire);
    event->class_bytes = slot.class_bytes.load(std::memory_order_acquire);
    event->caller = Pointer(slot.caller.load(std::memory_order_acquire));
    return begun_.load(std::memory_order_relaxed) <= n + kCapacity;
  }

  uint64_t OldestBefore(uint64_t end) const {
    return std::max(first_.load(std::memory_order_relaxed),
                    std::max<uint64_t>(end, kCapacity) - kCapacity);
  }

  static uint64_t Pack(const AllocationEvent& event) {
    return uint64_t{event.thread} << 32 |
           static_cast<uint64_t>(event.operation);
  }
  static void Unpack(uint64_t word, AllocationEvent* event) {
    event->thread = static_cast<uint32_t>(word >> 32);
    event->operation = static_cast<Operation>(word & 0xff);
  }
  static uint64_t Number(const void* pointer) {
    return reinterpret_cast<uintptr_t>(pointer);
  }
  static const void* Pointer(uint64_t number) {
    return reinterpret_cast<const void*>(number);
  }

  std::atomic<uint64_t> begun_;
  std::atomic<uint64_t> ended_;
  std::atomic<uint64_t> first_;
  Slot slots_[kCapacity];
};

using EventRing = BasicEventRing<4096>;

}  // namespace hakmem

#endif  // HAKMEM_TRACING_EVENTS_EVENT_RING_H_
