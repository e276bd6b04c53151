// A step of a thread under the interleaver: its next action.
#ifndef HAKMEM_TESTS_INTERLEAVING_STEP_H_
#define HAKMEM_TESTS_INTERLEAVING_STEP_H_

#include <atomic>
#include <cstdint>

#include "tests/interleaving/interleaver.h"

namespace interleaver {

struct Step {
  enum class Kind : uint8_t {
    kLoad,
    kStore,
    kUpdate,
    kFence,  // seq_cst only; other fences concern only their own thread
    kLock,
    kTryLock,
    kUnlock,
    kWait,
    kAwake,
    kWake,
    kTouch,
  };
  Kind kind;
  const void* address;
  const char* operation;
  std::memory_order order;
  internal::Place place;
  uint64_t value = 0;  // read, or written by a store

  bool IsOrderedWithAllFences() const {
    return order == std::memory_order_seq_cst;
  }
};

// Whether the order of the two threads' steps makes no difference.
inline bool AreIndependent(const Step& a, const Step& b) {
  if (a.IsOrderedWithAllFences() && b.IsOrderedWithAllFences()) return false;
  if (a.address != b.address) return true;
  return a.kind == Step::Kind::kLoad && b.kind == Step::Kind::kLoad;
}

}  // namespace interleaver

#endif  // HAKMEM_TESTS_INTERLEAVING_STEP_H_
