// The retry gate: whether returning free memory to the OS could help a request
// that the OS refused.
//
// A refused request is retried once after all free memory was returned to the
// OS. A program at its limit is refused again and again, and each such sweep
// walks every heap and asks the OS twice. So a sweep that found nothing closes
// the gate for a while, until any thread frees memory.
//
//   state   0        open: sweep
//           odd      a thread is sweeping (its own number)
//           even     closed: until << 17 (milliseconds), and part of the number
//
// A freeing thread reads the state after its memory is where a sweep finds it;
// a sweeping thread sets the state before it begins. So at least one sees what
// the other did: either the memory is found, or the gate is opened.
//
// A request may be refused while a sweep is about to give back what it needs,
// and find the gate closed by the next sweep. So it compares the state with
// that before it asked; if they differ, it asks once more.
//
// Lock-free; async-signal-safe.
#ifndef HAKMEM_FRONTEND_THREAD_CACHE_RETRY_GATE_H_
#define HAKMEM_FRONTEND_THREAD_CACHE_RETRY_GATE_H_

#include <atomic>
#include <cstdint>

namespace hakmem {

class RetryGate {
 public:
  constexpr RetryGate() = default;

  // Call before a sweep; pass the number to Close.
  uint64_t Begin() {
    // relaxed: only uniqueness matters.
    const uint64_t number =
        2 * numbers_.fetch_add(1, std::memory_order_relaxed) + 1;
    // seq_cst: precedes every read of the sweep; pairs with the load in Open.
    state_.store(number, std::memory_order_seq_cst);
    return number;
  }

  // After a sweep that found nothing: closes the gate until `until`
  // (milliseconds), unless memory was freed, or another sweep began, since
  // Begin returned `number`.
  void Close(uint64_t number, uint64_t until) {
    const uint64_t closed = until << kUntilShift |
                            ((number - 1) & ((uint64_t{1} << kUntilShift) - 1));
    // release: pairs with the acquire in State.
    state_.compare_exchange_strong(number, closed, std::memory_order_release,
                                   std::memory_order_relaxed);
  }

  // Whether a sweep at `now` (milliseconds) would find nothing.
  bool IsClosed(uint64_t now) const {
    const uint64_t state = State();
    return state % 2 == 0 && now < state >> kUntilShift;
  }

  // Differs from what it was before if a sweep has begun or closed the gate
  // since. acquire: pairs with the release in Close; who sees that a sweep has
  // ended also finds what it and earlier ones gave back.
  uint64_t State() const { return state_.load(std::memory_order_acquire); }

  // Call after memory was freed, or moved to where a sweep finds it. One load
  // while the gate is open.
  void Open() {
    // seq_cst: follows all that made the memory free; pairs with the store in
    // Begin.
    if (state_.load(std::memory_order_seq_cst) != 0) [[unlikely]] {
      state_.store(0, std::memory_order_relaxed);
    }
  }

 private:
  static constexpr int kUntilShift = 17;

  std::atomic<uint64_t> state_{0};
  std::atomic<uint64_t> numbers_{0};
};

// The process's only one.
inline constinit RetryGate retry_gate;

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_THREAD_CACHE_RETRY_GATE_H_
