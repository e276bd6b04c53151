// Checks the free lists of metadata objects (heap_verifier.h).
#ifndef HAKMEM_BACKEND_MEMORY_METADATA_CHECK_H_
#define HAKMEM_BACKEND_MEMORY_METADATA_CHECK_H_

#include <cstddef>
#include <cstdint>

#include "backend/memory/metadata.h"
#include "backend/verify/heap_verifier.h"

namespace hakmem {

template <typename Visit>
void AddressStack::VisitAll(Visit&& visit) const {
  for (const Page* page = top_; page != nullptr; page = page->below) {
    for (size_t i = 0; i < page->count; ++i) visit(page->addresses[i]);
  }
}

template <typename T>
template <typename IsUsed>
void MetadataAllocator<T>::VerifyInvariants(HeapVerifier& check,
                                            IsUsed&& is_used) {
  const int errors_before = check.errors();
  const size_t count = WalkChain(
      free_, [](const T* object) { return object->pool_next; },
      "free metadata is linked in a circle", check,
      [&](const T* object) {
        check.Require(!is_used(object), "metadata in use is free as well",
                      reinterpret_cast<uintptr_t>(object));
      });
  if constexpr (kIsLarge) {
    check.RequireEqual(free_count_, count, "wrong count of free metadata");
  }
  if constexpr (kMayCache) {
    WalkList(cached_, "the list of cached metadata is broken", check,
             [&](const T* object) {
               check.Require(!is_used(object),
                             "metadata in use is cached as well",
                             reinterpret_cast<uintptr_t>(object));
             });
  }
  if (check.errors() != errors_before) return;  // the list may be circular
  purged_.VisitAll([&](const void* object) {
    check.Require(!is_used(static_cast<const T*>(object)),
                  "metadata in use is free as well",
                  reinterpret_cast<uintptr_t>(object));
  });
  check.RequireDistinct(
      [&](auto&& add) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        for (const T* object = free_; object != nullptr;
             object = object->pool_next) {
          add(reinterpret_cast<uintptr_t>(object));
        }
        purged_.VisitAll([&](const void* object) {
          add(reinterpret_cast<uintptr_t>(object));
        });
        if constexpr (kMayCache) {
          for (T* object = cached_.front(); object != nullptr;
               object = cached_.Next(object)) {
            add(reinterpret_cast<uintptr_t>(object));
          }
        }
      },
      "metadata is free twice");
}

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_MEMORY_METADATA_CHECK_H_
