// Shows and hides a thread's bins: the thread shows them; another thread that
// switches events on hides them.
//
//   The thread:                          The switching thread:
//     1  bins in use := its own            4  events := on
//     2  fence                             5  fence
//     3  events on?  bins in use := none   6  bins in use := none
//
// Dekker's pattern: if 3 does not see 4, then fence 2 came before fence 5, and
// 6 follows 1. Either way the bins end up hidden.
//
// A template over the shared variables, so that a test can run the same source
// under every interleaving (bins_switch_test.cc).
#ifndef HAKMEM_FRONTEND_THREAD_CACHE_BINS_SWITCH_H_
#define HAKMEM_FRONTEND_THREAD_CACHE_BINS_SWITCH_H_

#include <atomic>

namespace hakmem {

// Steps 1 to 3. `in_use` holds the tables that malloc and free read:
// ThreadTables.
template <typename InUse, typename Tables, typename EventsOn>
inline void ShowBinsUnless(EventsOn&& events_on, InUse& in_use, Tables own,
                           Tables none) {
  // relaxed, all: every table is always valid, whichever is read.
  in_use.store(own, std::memory_order_relaxed);
  // Pairs with the fence in HideBinsOfAll: either this thread sees that events
  // are on, or its bins are hidden after the store above.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (events_on()) in_use.store(none, std::memory_order_relaxed);
}

// Steps 5 and 6, after 4. for_each_in_use(hide) calls hide(in_use) for each
// thread.
template <typename Tables, typename ForEachInUse>
inline void HideBinsOfAll(Tables none, ForEachInUse&& for_each_in_use) {
  // Pairs with the fence in ShowBinsUnless.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for_each_in_use(
      [&](auto& in_use) { in_use.store(none, std::memory_order_relaxed); });
}

}  // namespace hakmem

#endif  // HAKMEM_FRONTEND_THREAD_CACHE_BINS_SWITCH_H_
