// For the tests of events: makes calls of every kind, and reads what was
// recorded of them.
#ifndef HAKMEM_TESTS_BLACKBOX_EVENTS_EVENTS_TEST_HELPER_H_
#define HAKMEM_TESTS_BLACKBOX_EVENTS_EVENTS_TEST_HELPER_H_

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/blackbox/support/block_test_helper.h"
#include "tests/blackbox/support/preload_test_helper.h"

namespace hakmem_test {

inline uint32_t ThreadId() {
  return static_cast<uint32_t>(syscall(SYS_gettid));
}

// The library's own report of how it was built.

// The expected event, without time and caller.
struct Expected {
  hakmem_operation_t operation;
  const void* address;
  size_t size;
  size_t class_bytes;
};

// The calls made by this thread, in order. Stored without allocating, so as not
// to cause events.
class Calls {
 public:
  void* Allocated(void* block, size_t size) {
    Add(HAKMEM_OPERATION_MALLOC, block, size);
    return block;
  }
  void* Reallocated(void* block, size_t size) {
    Add(HAKMEM_OPERATION_REALLOC, block, size);
    return block;
  }
  // To be called before the block is freed.
  void* Freed(void* block) {
    Add(HAKMEM_OPERATION_FREE, block, 0);
    return block;
  }

  const Expected* begin() const { return calls_.data(); }
  const Expected* end() const { return calls_.data() + count_; }
  size_t size() const { return count_; }

 private:
  void Add(hakmem_operation_t operation, void* block, size_t size) {
    if (block == nullptr || count_ == calls_.size()) abort();
    calls_[count_++] = {operation, block, size,
                        Hakmem().malloc_usable_size(block)};
  }

  std::array<Expected, 256> calls_;
  size_t count_ = 0;
};

// Calls of every kind, with tiny, mid and large sizes.
inline void MakeCalls(Calls* calls) {
  for (const size_t size :
       {size_t{1}, size_t{24}, size_t{1000}, 5 * kKiB, 100 * kKiB, 5 * kMiB}) {
    // From bins, if there are any: the same size repeatedly.
    for (int i = 0; i < 3; ++i) {
      void* block = calls->Allocated(malloc(size), size);
      free(calls->Freed(block));
    }
    void* zeroed = calls->Allocated(calloc(3, size), 3 * size);
    void* aligned = calls->Allocated(aligned_alloc(256, size), size);
    void* created = calls->Allocated(::operator new(size), size);
    void* created_aligned =
        calls->Allocated(::operator new[](size, std::align_val_t{64}), size);
    free(calls->Freed(zeroed));
    ::operator delete(calls->Freed(created), size);
    ::operator delete[](calls->Freed(created_aligned), std::align_val_t{64});
    free(calls->Freed(aligned));
    void* own = calls->Allocated(Hakmem().malloc(size), size);
    Hakmem().free(calls->Freed(own));
  }
}

// Growing and shrinking, in place and by moving; also null and size 0.
inline void MakeReallocCalls(Calls* calls) {
  void* block = calls->Allocated(realloc(nullptr, 10), 10);
  for (const size_t size : {size_t{12}, size_t{500}, 20 * kKiB, 24 * kKiB,
                            3 * kMiB, 50 * kMiB, 4 * kMiB, size_t{100}}) {
    block = calls->Reallocated(realloc(calls->Freed(block), size), size);
  }
  block = calls->Reallocated(reallocarray(calls->Freed(block), 30, 10), 300);
  volatile size_t impossible = SIZE_MAX / 2 + 1;
  if (realloc(calls->Freed(block), impossible) != nullptr) abort();
  calls->Reallocated(block, Hakmem().malloc_usable_size(block));
  // Frees.
  void* none = realloc(calls->Freed(block), 0);
  if (none != nullptr) abort();
  free(nullptr);
  // Fails: no event.
  if (malloc(impossible) != nullptr) abort();
}

inline std::vector<hakmem_event_t> AllEvents() {
  std::vector<hakmem_event_t> all;
  const size_t visited = Hakmem().events(
      [](const hakmem_event_t* event, void* to) {
        static_cast<std::vector<hakmem_event_t>*>(to)->push_back(*event);
      },
      &all);
  EXPECT_EQ(visited, all.size());
  return all;
}

inline std::vector<hakmem_event_t> EventsOf(uint32_t thread) {
  std::vector<hakmem_event_t> events;
  for (const hakmem_event_t& event : AllEvents()) {
    if (event.thread == thread) events.push_back(event);
  }
  return events;
}

inline hakmem_event_counts_t Counts() {
  hakmem_event_counts_t counts;
  EXPECT_EQ(Hakmem().event_counts(&counts, sizeof(counts)), sizeof(counts));
  return counts;
}

class EventsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!HasTracing()) GTEST_SKIP() << "built with --//tracing=off";
    Hakmem();
    Hakmem().events_stop();
    // Events from here on are cleared by the next start.
  }
  void TearDown() override { Hakmem().events_stop(); }
};

}  // namespace hakmem_test

#endif  // HAKMEM_TESTS_BLACKBOX_EVENTS_EVENTS_TEST_HELPER_H_
