// HeapVerifier: what the proof that the books balance is written with, and
// where its errors go. hakmem_check_heap (frontend/dispatch/heap_check.cc)
// makes one, and each part of the allocator has a
// VerifyInvariants(HeapVerifier&) that walks its own books.
//
//   check.Require(slab.touched_bytes <= kSlabBytes, "touched beyond it", base);
//
// An error is one line on stderr: "hakmem: heap check: <rule that is broken>".
// Parts that must agree with one another add what they find to the tally, which
// is compared when all have been walked. Allocates nothing, takes no lock.
//
// Not thread-safe. Whoever checks a part holds its locks, as for fork, and no
// other thread may be inside the allocator: it would be caught midway.
#ifndef HAKMEM_BACKEND_VERIFY_HEAP_VERIFIER_H_
#define HAKMEM_BACKEND_VERIFY_HEAP_VERIFIER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/intrusive_list.h"

namespace hakmem {

class HeapVerifier {
 public:
  // With `lost_threads` this is the child of a fork that may have caught other
  // threads midway, for good: what RequireAtRest asks need not hold.
  explicit HeapVerifier(bool lost_threads = false)
      : lost_threads_(lost_threads) {}
  HeapVerifier(const HeapVerifier&) = delete;
  HeapVerifier& operator=(const HeapVerifier&) = delete;

  // Reports `fault` of what lies at `where` (0: of nothing in particular)
  // unless `holds`. Returns `holds`.
  bool Require(bool holds, const char* fault, uintptr_t where = 0) {
    if (!holds) [[unlikely]] {
      Report(fault, where);
    }
    return holds;
  }

  // The same for two numbers that must be one.
  bool RequireEqual(uint64_t found, uint64_t expected, const char* fault,
                    uintptr_t where = 0) {
    if (found != expected) [[unlikely]] {
      Report(fault, where, found, expected);
    }
    return found == expected;
  }

  // The same for rules that a thread breaks for a moment without a lock.
  bool RequireAtRest(bool holds, const char* fault, uintptr_t where = 0) {
    return Require(holds || lost_threads_, fault, where);
  }
  bool RequireEqualAtRest(uint64_t found, uint64_t expected, const char* fault,
                          uintptr_t where = 0) {
    return lost_threads_ || RequireEqual(found, expected, fault, where);
  }

  // Reports each address that `enumerate`, called as enumerate(add), adds more
  // than once by add(address). It is called again and again when they are many,
  // and must add the same ones each time.
  template <typename Enumerate>
  void RequireDistinct(Enumerate&& enumerate, const char* fault) {
    size_t total = 0;
    enumerate([&](uintptr_t) { ++total; });
    // A part of them at a time, by a hash; half as large as there is room for,
    // so that only one that is full of equal addresses overflows.
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

  // Says how many errors there were beyond those printed, and returns how many
  // in all. To be called once, last.
  int Finish();

  int errors() const { return errors_; }

  // What the parts have found so far.
  struct Tally {
    uint64_t used_chunks = 0;         // of the chunk source's, handed out
    uint64_t slab_chunks = 0;         // held by slab sources
    uint64_t page_chunks = 0;         // held by the page heap
    uint64_t large_blocks = 0;        // in use
    uint64_t mapped_slab_chunks = 0;  // the same as the pagemap has it
    uint64_t mapped_page_chunks = 0;
    uint64_t mapped_large_blocks = 0;
    uint64_t dirty_bytes = 0;       // free and resident, but for those of spans
    uint64_t dirty_span_bytes = 0;  // the same of free spans
    uint64_t cached_spans = 0;      // by the page heap's tags
    uint64_t kept_spans = 0;        // in span bins and shards
  };
  Tally tally;

 private:
  static constexpr int kMostLines = 20;
  static constexpr size_t kRoom = 8192;

  static uint64_t Hash(uintptr_t address) {
    return (address * uint64_t{0x9e3779b97f4a7c15}) >> 40;
  }

  // Sorts the first `count` of sorted_, and reports those that occur twice. One
  // function for all: sorting is much code.
  [[gnu::noinline]] void RequireDistinctPart(size_t count, const char* fault) {
    std::sort(sorted_, sorted_ + count);
    for (size_t i = 1; i < count; ++i) {
      Require(sorted_[i] != sorted_[i - 1], fault, sorted_[i]);
    }
  }

  [[gnu::cold]] void Report(const char* fault, uintptr_t where);
  [[gnu::cold]] void Report(const char* fault, uintptr_t where, uint64_t found,
                            uint64_t expected);

  // All locks are held by whoever checks: one is enough for the process.
  static uintptr_t sorted_[kRoom];

  const bool lost_threads_;
  int errors_ = 0;
};

// Calls visit(T*) for each element of `list`, as far as its links are whole,
// and reports `fault` of where they are not. Returns how many. `visit` may
// change no list.
template <typename T, typename Tag, typename Visit>
size_t WalkList(const IntrusiveList<T, Tag>& list, const char* fault,
                HeapVerifier& check, Visit&& visit) {
  size_t count = 0;
  T* previous = nullptr;
  for (T* element = list.front(); element != nullptr;
       element = IntrusiveList<T, Tag>::Next(element)) {
    // A list that leads back into itself has an element with a wrong link.
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

// The same for a list that is linked one way, by next(T*). One that leads back
// into itself is reported and visited no further.
template <typename T, typename Next, typename Visit>
size_t WalkChain(T* first, Next&& next, const char* fault, HeapVerifier& check,
                 Visit&& visit) {
  size_t count = 0;
  T* slow = first;
  for (T* element = first; element != nullptr; element = next(element)) {
    visit(element);
    // Half as fast: meets the other one in a circle.
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
