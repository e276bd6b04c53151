// Metadata memory: all of the allocator's own data, apart from the memory the
// program writes to.
//
// Bump allocation from private mappings that are never returned. Objects that
// come and go are cached in typed free lists (MetadataAllocator), so memory
// that once held a T always holds a T. Lock-free readers rely on that: a stale
// T* still points at a T.
#ifndef HAKMEM_BACKEND_MEMORY_METADATA_H_
#define HAKMEM_BACKEND_MEMORY_METADATA_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "absl/base/thread_annotations.h"
#include "backend/memory/purge_budget.h"
#include "base/intrusive_list.h"
#include "base/sync/lock.h"

namespace hakmem {

class HeapVerifier;

class Metadata {
 public:
  // Zeroed memory of `bytes`, aligned to `alignment` (at most a page); null
  // when the OS refuses. Thread-safe; takes only its own lock, the last in the
  // lock order.
  static void* Allocate(size_t bytes, size_t alignment);

  // AllocatePages: the same in whole pages. PurgePages: zeroes them and makes
  // them non-resident; false when the OS refuses.
  static void* AllocatePages(size_t bytes);
  static bool PurgePages(void* pages, size_t bytes);

  // Bytes allocated so far.
  static size_t BytesInUse();

  // Bytes of address space reserved.
  static size_t BytesReserved();

  static void LockForFork();
  static void UnlockAfterFork();
};

// A stack of addresses, stored apart from the objects. Not thread-safe.
class AddressStack {
 public:
  constexpr AddressStack() = default;

  // False when the OS refuses memory.
  bool Push(void* address);
  // Null when empty.
  void* Pop();

  // Calls visit(address) for each.
  template <typename Visit>
  void VisitAll(Visit&& visit) const;  // metadata_check.h

 private:
  struct Page {
    static constexpr size_t kRoom = 510;
    Page* below;
    size_t count;
    void* addresses[kRoom];
  };
  Page* top_ = nullptr;    // pages below it are full
  Page* spare_ = nullptr;  // empty pages, linked by `below`
};

// A pool of objects of type T that are reused but never destroyed. Thread-safe.
//
// A new object is zeroed metadata, which must be a valid T: a constructor would
// touch pages that may never be needed. An object that was Put is returned as
// it was, or zeroed: of large objects only a few free ones stay resident, the
// others are purged. T needs a member `T* pool_next`, and may have
// `void BeforePurge()`, which releases what it holds elsewhere.
//
// Purging costs more than many uses of an object. Objects that come and go are
// therefore cached (PutCached) and purged only after a while unused. For that,
// T is a ListNode<T> and has a member `uint64_t cached_at`.
template <typename T>
class MetadataAllocator {
 public:
  constexpr MetadataAllocator() = default;

  // Null when the OS refuses memory.
  T* Get() {
    {
      MutexLock lock(mutex_);
      if constexpr (kMayCache) {
        if (T* object = cached_.PopFront(); object != nullptr) return object;
      }
      if (free_ != nullptr) {
        T* object = free_;
        free_ = object->pool_next;
        if constexpr (kIsLarge) --free_count_;
        return object;
      }
      if constexpr (kIsLarge) {
        if (void* object = purged_.Pop()) return static_cast<T*>(object);
      }
    }
    return static_cast<T*>(kIsLarge
                               ? Metadata::AllocatePages(sizeof(T))
                               : Metadata::Allocate(sizeof(T), alignof(T)));
  }

  void Put(T* object) {
    MutexLock lock(mutex_);
    PutLocked(object);
  }

  // Put in two steps. Cached objects stay resident and are reused first.
  // PurgeCached puts those cached at least `decay` before `now` (in ms), or all
  // with `force`.
  void PutCached(T* object, uint64_t now) {
    MutexLock lock(mutex_);
    object->cached_at = now;
    cached_.PushFront(object);
  }
  void PurgeCached(uint64_t now, uint64_t decay, bool force,
                   PurgeBudget* budget = nullptr) {
    while (!PurgeBudget::IsSpent(budget)) {
      MutexLock lock(mutex_);  // one at a time, so others can get it
      T* oldest = cached_.back();
      if (oldest == nullptr || !(force || now >= oldest->cached_at + decay)) {
        return;
      }
      cached_.Remove(oldest);
      PutLocked(oldest);
    }
  }

  void LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Lock(); }
  void UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Unlock(); }

  // Checks that no object is free twice, and that is_used(T*) is false for all
  // free ones (heap_verifier.h). The caller holds the lock, as for fork.
  template <typename IsUsed>
  [[gnu::cold]] void VerifyInvariants(HeapVerifier& check,
                                      IsUsed&& is_used)  // metadata_check.h
      ABSL_NO_THREAD_SAFETY_ANALYSIS;

 private:
  static constexpr bool kIsLarge = sizeof(T) >= 8192;
  static constexpr bool kMayCache = std::is_base_of_v<ListNode<T>, T>;
  static constexpr size_t kMaxResident = 4;

  void PutLocked(T* object) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if constexpr (kIsLarge) {
      if (free_count_ >= kMaxResident && purged_.Push(object)) {
        if constexpr (requires { object->BeforePurge(); }) {
          object->BeforePurge();
        }
        if (Metadata::PurgePages(object, sizeof(T))) return;
        (void)purged_.Pop();
      }
      ++free_count_;
    }
    object->pool_next = free_;
    free_ = object;
  }

  Mutex mutex_;
  IntrusiveList<T> cached_ ABSL_GUARDED_BY(mutex_);  // newest first
  T* free_ ABSL_GUARDED_BY(mutex_) = nullptr;
  // Of large objects: the length of `free_`, and the purged ones.
  size_t free_count_ ABSL_GUARDED_BY(mutex_) = 0;
  AddressStack purged_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_METADATA_H_
