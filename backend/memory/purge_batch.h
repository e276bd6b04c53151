// PurgeBatch: gathers ranges of memory to purge, which costs less than a system
// call for each (os::PurgeAll).
//
// Not thread-safe.
#ifndef HAKMEM_BACKEND_MEMORY_PURGE_BATCH_H_
#define HAKMEM_BACKEND_MEMORY_PURGE_BATCH_H_

#include <cstddef>
#include <cstdint>

#include "base/os/os_memory.h"
#include "tracing/counters/counters.h"

namespace hakmem {

class PurgeBatch {
 public:
  // Adds a range of `bytes`, not 0. Sets `*is_purged` to false if the OS
  // refuses it, by the end of the next Purge at the latest. Until then the
  // caller owns the range exclusively.
  void Add(uintptr_t address, size_t bytes, bool* is_purged) {
    if (count_ == os::kMostPurgeRanges) Purge();
    ranges_[count_] = {address, bytes};
    is_purged_[count_++] = is_purged;
  }

  // Purges the ranges added since the last call.
  void Purge() {
    const uint64_t purged = os::PurgeAll({ranges_, count_});
    for (size_t i = 0; i < count_; ++i) {
      if ((purged >> i & 1) != 0) {
        Count(Event::kPurge);
      } else {
        *is_purged_[i] = false;
      }
    }
    count_ = 0;
  }

 private:
  size_t count_ = 0;
  os::Range ranges_[os::kMostPurgeRanges];
  bool* is_purged_[os::kMostPurgeRanges];
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_PURGE_BATCH_H_
