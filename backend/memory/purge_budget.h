// Limits how much one call purges. Housekeeping runs inside a call of malloc or
// free, which must not wait until gigabytes are purged. When the budget is
// spent, the parts that purge stop and continue there at the next call.
//
// Passed as a pointer, null for no limit. Not thread-safe: belongs to one call.
#ifndef HAKMEM_BACKEND_MEMORY_PURGE_BUDGET_H_
#define HAKMEM_BACKEND_MEMORY_PURGE_BUDGET_H_

#include <cstdint>

#include "base/os/clock.h"

namespace hakmem {

class PurgeBudget {
 public:
  // Spent after so many nanoseconds.
  explicit PurgeBudget(uint64_t nanoseconds)
      : deadline_(Nanoseconds() + nanoseconds) {}

  // Whether to stop. Call it before each system call that purges; one call
  // should purge at most a chunk.
  static bool IsSpent(PurgeBudget* budget) {
    return budget != nullptr && budget->Look();
  }

  // The same after each step that only searches for memory to purge.
  static bool IsSpentScanning(PurgeBudget* budget) {
    return budget != nullptr && ++budget->steps_ % kStepsPerLook == 0 &&
           budget->Look();
  }

  bool is_spent() const { return is_spent_; }

 private:
  static constexpr uint32_t kStepsPerLook = 32;

  bool Look() {
    is_spent_ = is_spent_ || Nanoseconds() >= deadline_;
    return is_spent_;
  }

  uint64_t deadline_;
  uint32_t steps_ = 0;
  bool is_spent_ = false;
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_PURGE_BUDGET_H_
