// A step of a thread under the interleaver: what it is about to do next.
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
    kFence,  // only the seq_cst ones; the others concern their thread alone
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

// Whether it makes no difference which of two threads' steps comes first.
inline bool AreIndependent(const Step& a, const Step& b) {
  if (a.IsOrderedWithAllFences() && b.IsOrderedWithAllFences()) return false;
  if (a.address != b.address) return true;
  return a.kind == Step::Kind::kLoad && b.kind == Step::Kind::kLoad;
}

}  // namespace interleaver

#endif  // HAKMEM_TESTS_INTERLEAVING_STEP_H_
