// The retry gate: whether giving free memory back to the OS could help a
// request that it refused.
//
// A request that is refused is tried once more after all that is free has gone
// back. A program that is at its limit is refused again and again; to gather
// what is free each time walks every heap and asks the OS twice. So a gathering
// that found nothing closes the gate for a while: until anything comes free, by
// any thread, which opens it.
//
//   state   0        open: gather
//           odd      a thread is gathering (its own number)
//           even     closed until so many half milliseconds
//
// Who frees memory looks at the state after the memory is where a gathering
// finds it; who gathers sets the state before it begins. So of the two at least
// one sees what the other did: either the memory is found, or the gate is
// opened.
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

  // To be called before a gathering; the number is for Close.
  uint64_t Begin() {
    // relaxed: only that numbers differ matters.
    const uint64_t number =
        2 * numbers_.fetch_add(1, std::memory_order_relaxed) + 1;
    // seq_cst: comes before all that the gathering reads; pairs with the load
    // in Open.
    state_.store(number, std::memory_order_seq_cst);
    return number;
  }

  // After a gathering that found nothing: closes the gate until `until`
  // (milliseconds), unless something came free, or another thread began to
  // gather, since Begin returned `number`.
  void Close(uint64_t number, uint64_t until) {
    // relaxed: what it means is about memory that locks order.
    state_.compare_exchange_strong(number, 2 * until,
                                   std::memory_order_relaxed);
  }

  // Whether a gathering at `now` (milliseconds) would find nothing.
  bool IsClosed(uint64_t now) const {
    const uint64_t state = state_.load(std::memory_order_relaxed);
    return state % 2 == 0 && now < state / 2;
  }

  // To be called after memory came free, or moved to where a gathering finds
  // it. One load while nothing is refused.
  void Open() {
    // seq_cst: comes after all that made the memory free; pairs with the store
    // in Begin.
    if (state_.load(std::memory_order_seq_cst) != 0) [[unlikely]] {
      state_.store(0, std::memory_order_relaxed);
    }
  }

 private:
  std::atomic<uint64_t> state_{0};
  std::atomic<uint64_t> numbers_{0};
};

// Of the whole process.
inline constinit RetryGate retry_gate;

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_THREAD_CACHE_RETRY_GATE_H_
