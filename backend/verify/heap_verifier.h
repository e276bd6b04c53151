// HeapVerifier: what invariant checks are written with, and where their errors
// go. hakmem_check_heap (frontend/verify/heap_check.cc) creates one, and each
// part of the allocator has a VerifyInvariants(HeapVerifier&) that walks its
// metadata.
//
//   check.Require(slab.touched_bytes <= kSlabBytes, "touched beyond it", base);
//
// An error is one line on stderr: "hakmem[1234]: heap check: <fault>". Parts
// that must agree add their counts to the tally, which is compared at the end.
// Allocates nothing, takes no lock.
//
// Not thread-safe. The caller holds the locks of the parts it checks, as for
// fork, and no other thread may be inside the allocator: its state would be
// inconsistent.
#ifndef HAKMEM_BACKEND_VERIFY_HEAP_VERIFIER_H_
#define HAKMEM_BACKEND_VERIFY_HEAP_VERIFIER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/intrusive_list.h"

namespace hakmem {

class HeapVerifier {
 public:
  // `lost_threads`: this is the child of a fork, which other threads may have
  // left in an inconsistent state; RequireAtRest then reports nothing.
  explicit HeapVerifier(bool lost_threads = false)
      : lost_threads_(lost_threads) {}
  HeapVerifier(const HeapVerifier&) = delete;
  HeapVerifier& operator=(const HeapVerifier&) = delete;

  // Unless `holds`, reports `fault` at `where` (0: nowhere in particular).
  // Returns `holds`.
  bool Require(bool holds, const char* fault, uintptr_t where = 0) {
    if (!holds) [[unlikely]] {
      Report(fault, where);
    }
    return holds;
  }

  // The same for two numbers that must be equal.
  bool RequireEqual(uint64_t found, uint64_t expected, const char* fault,
                    uintptr_t where = 0) {
    if (found != expected) [[unlikely]] {
      Report(fault, where, found, expected);
    }
    return found == expected;
  }

  // The same for rules that threads may break briefly without a lock.
  bool RequireAtRest(bool holds, const char* fault, uintptr_t where = 0) {
    return Require(holds || lost_threads_, fault, where);
  }
  bool RequireEqualAtRest(uint64_t found, uint64_t expected, const char* fault,
                          uintptr_t where = 0) {
    return lost_threads_ || RequireEqual(found, expected, fault, where);
  }

  // Reports each address that is added more than once. `enumerate(add)` calls
  // add(address) for each; it may be called several times, and must add the
  // same ones each time.
  template <typename Enumerate>
  void RequireDistinct(Enumerate&& enumerate, const char* fault) {
    size_t total = 0;
    enumerate([&](uintptr_t) { ++total; });
    // One part of them at a time, selected by a hash. Parts are half as large
    // as the array, so that only one full of equal addresses overflows.
    const size_t parts = total / (kRoom / 2) + 1;
    for (size_t part = 0; part < parts; ++part) {
      size_t count = 0;
      enumerate([&](uintptr_t address) {
        if (Hash(address) % parts != part || count == kRoom) return;
        sorted_[count++] = address;
      });
      RequireDistinctPart(count, fault);
    }
  }

  // Reports how many errors were not printed, and returns the total. Call it
  // once, at the end.
  int Finish();

  int errors() const { return errors_; }

  // Counts of the parts checked so far.
  struct Tally {
    uint64_t used_chunks = 0;         // of the chunk source
    uint64_t slab_chunks = 0;         // held by slab sources
    uint64_t page_chunks = 0;         // held by the page heap
    uint64_t large_blocks = 0;        // in use
    uint64_t mapped_slab_chunks = 0;  // the same according to the pagemap
    uint64_t mapped_page_chunks = 0;
    uint64_t mapped_large_blocks = 0;
    uint64_t dirty_bytes = 0;       // free and resident, without spans
    uint64_t dirty_span_bytes = 0;  // in free spans
    uint64_t cached_spans = 0;      // according to the page heap's tags
    uint64_t spans_in_caches = 0;   // in span bins and the central span cache
  };
  Tally tally;

 private:
  static constexpr int kMaxLines = 20;
  static constexpr size_t kRoom = 8192;

  static uint64_t Hash(uintptr_t address) {
    return (address * uint64_t{0x9e3779b97f4a7c15}) >> 40;
  }

  // Sorts the first `count` of sorted_, and reports those that occur twice. Not
  // a template: sorting is much code.
  [[gnu::noinline]] void RequireDistinctPart(size_t count, const char* fault) {
    std::sort(sorted_, sorted_ + count);
    for (size_t i = 1; i < count; ++i) {
      Require(sorted_[i] != sorted_[i - 1], fault, sorted_[i]);
    }
  }

  [[gnu::cold]] void Report(const char* fault, uintptr_t where);
  [[gnu::cold]] void Report(const char* fault, uintptr_t where, uint64_t found,
                            uint64_t expected);

  // The caller holds all locks, so one is enough for the process.
  static uintptr_t sorted_[kRoom];

  const bool lost_threads_;
  int errors_ = 0;
};

// Calls visit(T*) for each element of `list`, up to the first broken link,
// which it reports as `fault`. Returns how many. `visit` must not change lists.
template <typename T, typename Tag, typename Visit>
size_t WalkList(const IntrusiveList<T, Tag>& list, const char* fault,
                HeapVerifier& check, Visit&& visit) {
  size_t count = 0;
  T* previous = nullptr;
  for (T* element = list.front(); element != nullptr;
       element = IntrusiveList<T, Tag>::Next(element)) {
    // A circular list has an element with a wrong back link.
    const ListNode<T, Tag>& links = *element;
    if (!check.Require(links.list_previous == previous, fault,
                       reinterpret_cast<uintptr_t>(element))) {
      break;
    }
    visit(element);
    previous = element;
    ++count;
  }
  return count;
}

// The same for a list linked by next(T*). Stops at a circle and reports it.
template <typename T, typename Next, typename Visit>
size_t WalkChain(T* first, Next&& next, const char* fault, HeapVerifier& check,
                 Visit&& visit) {
  size_t count = 0;
  T* slow = first;
  for (T* element = first; element != nullptr; element = next(element)) {
    visit(element);
    // At half the speed: the other one catches up with it in a circle.
    if (++count % 2 == 0) slow = next(slow);
    if (!check.Require(next(element) != slow, fault,
                       reinterpret_cast<uintptr_t>(element))) {
      break;
    }
  }
  return count;
}

}  // namespace hakmem

#endif  // HAKMEM_BACKEND_VERIFY_HEAP_VERIFIER_H_
