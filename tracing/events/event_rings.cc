#include "tracing/events/event_rings.h"

#include "base/os/thread_id.h"

namespace hakmem {
namespace {

uint32_t ThreadOf(uint64_t owner) { return static_cast<uint32_t>(owner); }

uint64_t NextOwner(uint64_t owner, uint32_t thread) {
  return ((owner >> 32) + 1) << 32 | thread;
}

}  // namespace

EventRing* EventRings::Take(uint32_t thread, uint64_t now_ns) {
  // A previous thread with this thread's id has ended; the kernel, which sees
  // the id in use, cannot tell.
  for (size_t i = 0; i < kCount; ++i) {
    const uint64_t owner = owners_[i].load(std::memory_order_relaxed);
    if (ThreadOf(owner) == thread && TakeFrom(owner, i, thread)) {
      return &rings_[i];
    }
  }
  // relaxed, here and below: a stale value costs or skips a search.
  if (now_ns < search_at_ns_.load(std::memory_order_relaxed)) return nullptr;
  for (size_t tried = 0; tried < kCount; ++tried) {
    const size_t i = next_.fetch_add(1, std::memory_order_relaxed) % kCount;
    const uint64_t owner = owners_[i].load(std::memory_order_relaxed);
    if (ThreadOf(owner) != 0 && !ThreadHasEnded(ThreadOf(owner))) continue;
    if (TakeFrom(owner, i, thread)) return &rings_[i];
  }
  search_at_ns_.store(now_ns + kSearchEveryNs, std::memory_order_relaxed);
  return nullptr;
}

bool EventRings::TakeFrom(uint64_t owner, size_t i, uint32_t thread) {
  // acq_rel: pairs with itself in the ring's previous owner, and with the
  // acquire in ForEach. An ended thread's last writes are visible because the
  // kernel reported its end.
  if (!owners_[i].compare_exchange_strong(owner, NextOwner(owner, thread),
                                          std::memory_order_acq_rel,
                                          std::memory_order_relaxed)) {
    return false;
  }
  rings_[i].AbandonUnfinished();
  return true;
}

void EventRings::BeginInChild(EventRing* own, uint32_t thread) {
  ForEach([](EventRing& ring) { ring.Forget(); });
  // relaxed: there is no other thread.
  for (size_t i = 0; i < kCount; ++i) {
    const uint64_t owner = owners_[i].load(std::memory_order_relaxed);
    if (owner == 0) continue;
    owners_[i].store(NextOwner(owner, &rings_[i] == own ? thread : 0),
                     std::memory_order_relaxed);
  }
  search_at_ns_.store(0, std::memory_order_relaxed);
}

uint32_t EventRings::OwnerOf(const EventRing* ring) const {
  return ThreadOf(owners_[ring - rings_].load(std::memory_order_relaxed));
}

}  // namespace hakmem
