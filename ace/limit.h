// The limit on the bytes held by ACE's pool: HAKMEM_ACE_LIMIT_MB.
//
// It counts the mid blocks that threads hold, in use or in bins, and all spans,
// in use or cached; not tiny and not large blocks. Without a limit there is no
// lock and no extra accounting. With one, growth takes a lock and the limit is
// exact.
//
// Thread-safe. Lock order: before those of mid blocks and the page heap.
#ifndef HAKMEM_ACE_LIMIT_H_
#define HAKMEM_ACE_LIMIT_H_

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "base/sync/lock.h"
#include "base/text/options.h"

namespace hakmem {

class AceLimit {
 public:
  // Bytes held, as of a moment ago.
  static size_t Held();

  // The limit in bytes; SIZE_MAX when there is none.
  static size_t Bytes() {
    const size_t megabytes = options::Get(options::k_ace_limit_mb);
    return megabytes == 0 ? SIZE_MAX : megabytes << 20;
  }

  // Runs `take`, which takes `bytes` more for the pool, and returns its result;
  // returns {} without running it when that would exceed the limit.
  template <typename Take>
  static auto Within(size_t bytes, Take&& take) {
    if (Bytes() == SIZE_MAX) [[likely]] {
      return take();
    }
    MutexLock lock(mutex_);
    using Result = decltype(take());
    return HasRoomFor(bytes) ? take() : Result{};
  }

  static void LockForFork();
  static void UnlockAfterFork();

 private:
  static bool HasRoomFor(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  static inline constinit Mutex mutex_;
};

}  // namespace hakmem

#endif  // HAKMEM_ACE_LIMIT_H_
