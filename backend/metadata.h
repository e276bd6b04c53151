// Metadata memory: where all the allocator's own books lie, apart from the
// memory the program writes to.
//
// Bump allocation from mappings of its own, never given back; structures that
// come and go are kept in typed free lists (MetadataPool), so memory that once
// held a T holds a T forever. Lock-free readers rely on that: a stale T* still
// points at a T.
#ifndef HAKMEM_BACKEND_METADATA_H_
#define HAKMEM_BACKEND_METADATA_H_

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "base/lock.h"

namespace hakmem {

class Metadata {
 public:
  // Zeroed memory of `bytes`, aligned to `alignment` (at most a page); null
  // when the OS refuses. Thread-safe; takes only its own lock, the last in the
  // lock order.
  static void* Allocate(size_t bytes, size_t alignment);

  // Bytes handed out so far.
  static size_t BytesInUse();

  // Address space held, in bytes.
  static size_t BytesReserved();

  static void LockForFork();
  static void UnlockAfterFork();
};

// Objects of type T that are reused but never destroyed. A new one is fresh
// metadata as it is, all zero bytes, which must be a valid T: running a
// constructor would touch pages that may never be needed. One that was Put
// comes back as it was left. T needs a member `T* pool_next`. Thread-safe.
template <typename T>
class MetadataPool {
 public:
  constexpr MetadataPool() = default;

  // Null when the OS refuses memory.
  T* Get() {
    {
      MutexLock lock(mutex_);
      if (free_ != nullptr) {
        T* object = free_;
        free_ = object->pool_next;
        return object;
      }
    }
    return static_cast<T*>(Metadata::Allocate(sizeof(T), alignof(T)));
  }

  void Put(T* object) {
    MutexLock lock(mutex_);
    object->pool_next = free_;
    free_ = object;
  }

  void LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Lock(); }
  void UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Unlock(); }

 private:
  Mutex mutex_;
  T* free_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_METADATA_H_
