// Metadata memory: where all the allocator's own books lie, apart from the
// memory the program writes to.
//
// Bump allocation from mappings of its own, never given back; structures that
// come and go are kept in typed free lists (MetadataAllocator), so memory that
// once held a T holds a T forever. Lock-free readers rely on that: a stale T*
// still points at a T.
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

  // The same in whole pages, and back to zeros without being resident; false
  // when the OS refuses that.
  static void* AllocatePages(size_t bytes);
  static bool PurgePages(void* pages, size_t bytes);

  // Bytes handed out so far.
  static size_t BytesInUse();

  // Address space held, in bytes.
  static size_t BytesReserved();

  static void LockForFork();
  static void UnlockAfterFork();
};

// Addresses, kept in pages apart from what they point at. Not thread-safe.
class AddressStack {
 public:
  constexpr AddressStack() = default;

  // False when the OS refuses memory.
  bool Push(void* address);
  // Null when there is none.
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
  Page* top_ = nullptr;    // the others below are full
  Page* spare_ = nullptr;  // empty ones, likewise
};

// Objects of type T that are reused but never destroyed. A new one is fresh
// metadata as it is, all zero bytes, which must be a valid T: running a
// constructor would touch pages that may never be needed. One that was Put
// comes back as it was left, or all zero bytes again: of objects of many pages
// only a few that are free stay resident. T needs a member `T* pool_next`, and
// may have a `void BeforePurge()`, which lets go of what it has elsewhere.
// Thread-safe.
//
// Purging costs more than many a use: objects that come and go are better kept
// for a while (Keep), and purged when nobody has asked for them. For that T is
// a ListNode<T>, and has a member `uint64_t kept_at`.
template <typename T>
class MetadataAllocator {
 public:
  constexpr MetadataAllocator() = default;

  // Null when the OS refuses memory.
  T* Get() {
    {
      MutexLock lock(mutex_);
      if constexpr (kMayKeep) {
        if (T* object = kept_.PopFront(); object != nullptr) return object;
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

  // The same in two steps. What is kept stays resident, and is the first to be
  // used again; PurgeKept puts what was kept at least `decay` before `now` (in
  // milliseconds), all with `force`.
  void Keep(T* object, uint64_t now) {
    MutexLock lock(mutex_);
    object->kept_at = now;
    kept_.PushFront(object);
  }
  void PurgeKept(uint64_t now, uint64_t decay, bool force,
                 PurgeBudget* budget = nullptr) {
    while (!PurgeBudget::IsSpentLooking(budget)) {
      MutexLock lock(mutex_);  // one at a time: others may want some meanwhile
      T* oldest = kept_.back();
      if (oldest == nullptr || !(force || now >= oldest->kept_at + decay)) {
        return;
      }
      kept_.Remove(oldest);
      PutLocked(oldest);
    }
  }

  void LockForFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Lock(); }
  void UnlockAfterFork() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Unlock(); }

  // Proves that no free object is there twice, and that is_used(T*) is true of
  // none (heap_verifier.h). The caller holds the lock, as for fork.
  template <typename IsUsed>
  [[gnu::cold]] void VerifyInvariants(HeapVerifier& check,
                                      IsUsed&& is_used)  // metadata_check.h
      ABSL_NO_THREAD_SAFETY_ANALYSIS;

 private:
  static constexpr bool kIsLarge = sizeof(T) >= 8192;
  static constexpr bool kMayKeep = std::is_base_of_v<ListNode<T>, T>;
  static constexpr size_t kMostResident = 4;

  void PutLocked(T* object) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if constexpr (kIsLarge) {
      if (free_count_ >= kMostResident && purged_.Push(object)) {
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
  IntrusiveList<T> kept_ ABSL_GUARDED_BY(mutex_);  // the newest first
  T* free_ ABSL_GUARDED_BY(mutex_) = nullptr;
  // Of large objects: how many `free_` has, and those that read as zeros.
  size_t free_count_ ABSL_GUARDED_BY(mutex_) = 0;
  AddressStack purged_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_METADATA_H_
